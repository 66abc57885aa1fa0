"""``flownb run`` where no server is up, and ``flownb serve``."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flownb.client.servers import running
from tests.cli.conftest import Begin, ctrl_c, fact, run_in
from tests.client_support import TOKEN, found, until, write_notebooks


@pytest.fixture
def folder(environment: None, tmp_path: Path) -> Iterator[Path]:
    """A folder with notebooks that no server serves, and which none serves afterwards."""
    yield write_notebooks(tmp_path)
    assert tmp_path not in roots()


def roots() -> list[Path]:
    return [Path(info["root_dir"]) for info in running()]


def test_run_brings_a_server_up_waits_for_the_link_and_takes_it_down(folder: Path, begin: Begin) -> None:
    process = begin(folder, "run", "ask.ipynb")
    review = fact(process, "review")
    assert review.startswith("http://127.0.0.1:")
    assert folder in roots()
    assert "waits for a decision" in httpx.get(review, headers={"Accept": "text/html"}).text
    client = until(lambda: found(folder))
    links = client.executions(status="suspended")["executions"][0]["waiting"]
    client.close()
    assert httpx.post(links["resume_url"], json={"by": "link"}).json()["status"] == "resumed"
    assert process.stdout is not None
    assert '→ {"by": "link"}' in process.stdout.read()
    assert process.wait(30) == 0
    log = (folder / ".flownb" / "server.log").read_text()
    assert review.rpartition("/")[2] not in log
    assert (folder / ".flownb").stat().st_mode & 0o777 == 0o700


def test_what_ctrl_c_put_to_sleep_goes_on_by_its_old_link_when_the_folder_is_served(folder: Path, begin: Begin) -> None:
    (folder / "elsewhere").mkdir()
    process = begin(folder / "elsewhere", "run", "../ask.ipynb")
    review = fact(process, "review")
    assert ctrl_c(process) == 130
    assert process.stdout is not None
    said = process.stdout.read()
    assert f"(or any Jupyter server) runs in {folder}" in said
    assert folder not in roots()

    serving = begin(folder, "serve")
    assert serving.stdout is not None
    assert serving.stdout.readline().startswith(f"flownb serves {folder} at http://127.0.0.1:")
    assert serving.stdout.readline().startswith("1 waiting:")
    execution = run_in(folder, "ls", "--json").json["executions"][0]
    assert execution["waiting"]["review_url"] == review
    assert httpx.get(execution["waiting"]["resume_url"]).json()["status"] == "resumed"
    second = run_in(folder, "serve")
    assert second.status == 3
    assert "stands by" in second.err
    serving.send_signal(signal.SIGTERM)
    assert serving.wait(30) == 0


def test_ctrl_c_before_the_server_is_up(folder: Path, begin: Begin) -> None:
    process = begin(folder, "run", "ask.ipynb")
    until(lambda: (folder / ".flownb" / "server.log").exists() or None)
    assert ctrl_c(process) == 130


def test_a_server_that_does_not_come_up(folder: Path) -> None:
    (folder / ".flownb").write_text("in the way")
    done = run_in(folder, "run", "quick.ipynb")
    assert (done.status, done.out) == (3, "")
    assert "server.log cannot be written" in done.err


def test_no_token_is_among_the_arguments(folder: Path, begin: Begin) -> None:
    process = begin(folder, "run", "ask.ipynb")
    fact(process, "review")
    info = next(info for info in running() if Path(info["root_dir"]) == folder)
    assert len(info["token"]) >= 32
    assert info["token"] != TOKEN
    for arguments in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert info["token"].encode() not in arguments.read_bytes()
        except OSError:
            continue  # the process has ended
    started = time.monotonic()
    process.terminate()
    assert process.wait(30) == 130
    assert time.monotonic() - started < 15
