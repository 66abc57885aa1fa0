"""Notifications of pauses, failures and reminders, by Apprise to a real service."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.support.notebooks import cell
from tests.support.server import Server

SECRET = "a-s3cret-path"


class Service:
    """Takes what it is told, unless it is out of order."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.answers = 200
        self.asked = 0
        self._some = threading.Condition()
        self.port = 0

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.port}/{SECRET}"

    def take(self, said: dict[str, Any]) -> int:
        with self._some:
            self.asked += 1
            if self.answers == 200:
                self.told.append(said)
            self._some.notify_all()
            return self.answers

    def wait(self, count: int) -> list[tuple[str, str]]:
        """Title and text of all that was told, once it is so much."""
        with self._some:
            assert self._some.wait_for(lambda: len(self.told) >= count, 60), self.told
            return [(one["title"], one["message"]) for one in self.told]

    def wait_until_asked(self) -> None:
        with self._some:
            assert self._some.wait_for(lambda: self.asked, 60)


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.path.strip("/") == SECRET
            self.send_response(service.take(said))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        service.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield service
        server.shutdown()
        thread.join()


@pytest.fixture
def server(make_server: Callable[..., Server], service: Service) -> Server:
    return make_server(f"--FlowNB.notify={service.url}", "--FlowNB.pool_size=0", moving_clock=True).start()


def test_a_pause_that_waits_for_somebody_is_told_once(server: Server, service: Service) -> None:
    poll = "if pd.context.run.runs < 2:\n    pd.flow.rerun(0)"
    execution = server.run("pd.flow.delay(1)", poll, cell("pd.flow.suspend(reason='Publish\\ud800')", "ask"))
    ((title, text),) = service.wait(1)
    found = server.get(execution)
    assert title == f"{found['workflow']}: step 'ask' waits for an answer"
    assert text.splitlines() == [
        "Publish?",
        found["waiting"]["otherwise"],
        f"Review, approve or cancel: {found['waiting']['review_url']}",
        f"Execution {execution}",
    ]
    server.post(execution, "resume")
    server.wait(execution, "succeeded")
    assert len(service.told) == 1


def test_a_failure_is_told(server: Server, service: Service) -> None:
    execution = server.run(cell("#| retry: {max: 1, first: 10ms}\nraise ValueError('too\\nbad')", "load"))
    found = server.wait(execution, "failed")
    assert service.wait(1) == [
        (f"{found['workflow']}: failed at step 'load'", f"ValueError: too\nExecution {execution}")
    ]


def test_reminders_come_while_the_pause_waits(server: Server, service: Service) -> None:
    hours = "pd.flow.suspend(timedelta(hours=5), on_timeout='cancel', remind_every=timedelta(hours=1))"
    execution = server.run(cell(f"from datetime import timedelta\n{hours};", "ask"))
    assert server.wait(execution, "suspended")["waiting"]["remind_every"] == 3_600_000
    service.wait(1)
    server.advance(minutes=61)
    title, text = service.wait(2)[1]
    assert title.startswith("Reminder: ")
    assert title.endswith("step 'ask' waits for an answer")
    assert "It has waited since" in text
    assert "unless approved." in text
    server.advance(hours=2)
    assert len(service.wait(3)) == 3
    server.advance(hours=2)
    assert server.wait(execution, "cancelled")["reason"] == "timeout"
    assert len(service.told) == 3


def test_a_service_that_is_out_of_order_is_told_later(server: Server, service: Service) -> None:
    service.answers = 500
    server.wait(server.run("1 / 0"), "failed")
    service.wait_until_asked()
    (found,) = server.until(lambda: [one for one in server.http.get("/outbox").json()["messages"] if one["tries"]])
    assert (found["to"], found["status"], found["error"]) == (
        ["json"],
        "waiting",
        "the service did not take the message",
    )
    service.answers = 200
    server.advance(seconds=31)
    service.wait(1)
    server.until(lambda: server.http.get("/outbox").json()["messages"][0]["status"] == "sent")
    server.stop()
    for file in (server.log, *(server.root / ".flownb").glob("flownb.db*")):
        assert SECRET.encode() not in file.read_bytes()


def test_a_service_that_is_not_set_up_any_more_is_given_up(server: Server, service: Service) -> None:
    service.answers = 500
    server.wait(server.run("1 / 0"), "failed")
    service.wait_until_asked()
    server.stop()
    server.settings[0] = "--FlowNB.notify=nonsense"
    server.start()
    server.advance(seconds=31)
    (found,) = server.until(
        lambda: [one for one in server.http.get("/outbox").json()["messages"] if one["status"] == "failed"]
    )
    assert found["error"] == "the service is not set up any more"
    server.wait(server.run("1 / 0"), "failed")
    wrong, _ = server.until(
        lambda: (found := server.http.get("/outbox").json()["messages"])[0]["status"] == "failed" and found
    )
    assert wrong["error"] == "Apprise does not understand the service's URL"
