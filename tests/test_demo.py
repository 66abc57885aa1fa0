"""The job service, over HTTP."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from flownb import demo
from flownb.core.errors import FlowNBError
from flownb.demo.service import Service


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ended(url: str, job: dict[str, Any]) -> dict[str, Any]:
    """The job once it runs no more."""
    while (found := httpx.get(f"{url}/jobs/{job['id']}").json())["status"] == "RUNNING":
        time.sleep(0.02)
    return dict(found)


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The service in a process of its own, and its address."""
    port = free_port()
    command = [sys.executable, "-m", "flownb.demo", "--port", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    url = f"http://127.0.0.1:{port}"
    while True:
        try:
            assert httpx.get(url).json() == {"service": "flownb.demo"}
            break
        except httpx.ConnectError:
            time.sleep(0.05)
    yield url, process
    process.terminate()
    process.wait(10)
    assert process.stderr is not None
    process.stderr.close()


@pytest.fixture
def url(service: tuple[str, subprocess.Popen[str]]) -> str:
    return service[0]


def test_a_job_runs_and_is_done(url: str) -> None:
    answer = httpx.post(f"{url}/jobs", json={"seconds": 0.2, "result": {"rows": [1]}})
    assert answer.status_code == 201
    job = answer.json()
    assert job == {"id": job["id"], "status": "RUNNING", "result": None}
    assert httpx.get(f"{url}{answer.headers['Location']}").json() == job
    assert ended(url, job) == {"id": job["id"], "status": "DONE", "result": {"rows": [1]}}


def test_a_job_may_fail(url: str) -> None:
    job = httpx.post(f"{url}/jobs", json={"seconds": 0, "fail": True, "result": 1}).json()
    assert ended(url, job) == {"id": job["id"], "status": "FAILED", "result": None}


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("{", "is to be JSON"),
        ("[]", "a JSON object"),
        ('{"second": 1}', "unknown key 'second'"),
        ('{"seconds": "1"}', "seconds is a number"),
        ('{"seconds": true}', "seconds is a number"),
        ('{"seconds": NaN}', "seconds is a number"),
        ('{"seconds": -1}', "seconds is a number"),
        ('{"callback_url": "file:///etc/passwd"}', "http or https"),
        ('{"callback_url": "http://"}', "http or https"),
        ('{"callback_url": "http://[x"}', "http or https"),
        ('{"callback_url": 1}', "http or https"),
        ('{"fail": 1}', "true or false"),
    ],
)
def test_a_job_that_cannot_be(url: str, body: str, word: str) -> None:
    answer = httpx.post(f"{url}/jobs", content=body)
    assert answer.status_code == 400
    assert word in answer.json()["message"]


def test_what_is_not_there(url: str) -> None:
    for path in ("/jobs/999", "/other"):
        answer = httpx.get(f"{url}{path}")
        assert answer.status_code == 404
        assert answer.json()["message"]
    assert httpx.delete(f"{url}/jobs").status_code == 405


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Somebody to call back; fails every time."""
    received: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_error(500)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}/secret-path", received
        listening.shutdown()


def test_the_callback_comes_once_and_its_address_is_in_no_log(
    service: tuple[str, subprocess.Popen[str]], receiver: tuple[str, list[dict[str, Any]]]
) -> None:
    url, process = service
    callback_url, received = receiver
    job = httpx.post(f"{url}/jobs", json={"seconds": 0, "callback_url": callback_url, "result": 7}).json()
    assert process.stderr is not None
    line = next(line for line in process.stderr if "callback" in line)
    assert f"job {job['id']}: the callback was answered with 500" in line
    assert "secret-path" not in line
    gone = "http://127.0.0.1:1/secret-path"
    httpx.post(f"{url}/jobs", json={"seconds": 0, "callback_url": gone})
    line = next(line for line in process.stderr if "callback" in line)
    assert "the callback failed" in line
    assert "secret-path" not in line
    assert received == [{"id": job["id"], "status": "DONE", "result": 7}]


def test_it_listens_on_loopback_alone(url: str) -> None:
    port = int(url.rpartition(":")[2])
    with socket.socket() as other:
        other.bind(("127.0.0.2", port))  # would be taken if it listened everywhere


def test_a_port_that_is_taken(url: str) -> None:
    command = [sys.executable, "-m", "flownb.demo", "--port", url.rpartition(":")[2]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert "cannot be used" in done.stderr


def test_it_ends_by_itself_but_not_while_a_job_runs() -> None:
    async def use_it() -> float:
        port = free_port()
        serving = asyncio.create_task(Service(idle=0.1).run(port))
        async with httpx.AsyncClient() as client:
            started = time.monotonic()
            await client.post(f"http://127.0.0.1:{port}/jobs", json={"seconds": 0.5})
            await asyncio.wait_for(serving, 5)
        return time.monotonic() - started

    assert asyncio.run(use_it()) >= 0.5


class TestEnsureRunning:
    """Finding or starting the service."""

    @pytest.fixture(autouse=True)
    def _a_port_of_our_own(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.delenv("FLOWNB_DEMO_URL", raising=False)
        monkeypatch.setattr(demo, "PORT", free_port())
        yield
        for process in demo._started:
            process.terminate()
            process.wait(10)
        demo._started.clear()

    def test_starts_it_once(self) -> None:
        url = demo.ensure_running()
        assert url == f"http://127.0.0.1:{demo.PORT}" == demo.ensure_running()
        assert len(demo._started) == 1
        assert httpx.post(f"{url}/jobs", json={"seconds": 0}).status_code == 201

    def test_takes_the_one_that_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FLOWNB_DEMO_URL", "http://jobs.example.org/")
        assert demo.ensure_running() == "http://jobs.example.org"
        assert demo._started == []

    def test_refuses_a_stranger_on_its_port(
        self, receiver: tuple[str, list[Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(demo, "PORT", httpx.URL(receiver[0]).port)
        with pytest.raises(FlowNBError, match="something else answers"):
            demo.ensure_running()
