"""What a crash, a restart or a second server does: nothing finished is repeated, nothing accepted is lost."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from flownb.testing.server import free_port
from tests.support.notebooks import cell
from tests.support.server import REPOSITORY, Server, step

MARK = "\nwith open('marks', 'a') as file: file.write({!r})\n"
IMPATIENT = REPOSITORY / "tests" / "support" / "impatient"
HANG = "import time; time.sleep(60)"


def marks(server: Server) -> str:
    file = server.root / "marks"
    return file.read_text() if file.exists() else ""


def test_executions_survive_a_killed_server_in_every_state(make_server: Callable[..., Server]) -> None:
    server = make_server("--FlowNB.max_running=1").start()
    suspended = server.run("x = {'kept': [1]}" + MARK.format("a"), cell("pd.flow.suspend();", "ask"), "x['kept'][0]")
    link = server.wait(suspended, "suspended")["waiting"]["resume_url"]
    running = server.run(
        "y = 2" + MARK.format("b"), cell(MARK.format("c") + "if not y: pass\nimport time; time.sleep(1)", "slow"), "y"
    )
    server.until(lambda: "c" in marks(server))
    queued = server.run("'from the queue'")
    server.kill()
    server.start()
    assert httpx.post(link, json={}).json()["status"] == "resumed"
    done = [server.wait(execution, "succeeded") for execution in (suspended, running, queued)]
    assert [one["steps"][-1]["exports"]["$return_value"] for one in done] == [1, 2, "from the queue"]
    assert (marks(server).count("a"), marks(server).count("b"), marks(server).count("c")) == (1, 1, 2)
    assert (step(done[1], "slow")["runs"], step(done[1], "slow")["attempts"], done[1]["segments"]) == (1, 1, 1)


def test_timers_that_came_due_meanwhile_fire_once(make_server: Callable[..., Server]) -> None:
    server = make_server(moving_clock=True).start()
    ids = [server.run(cell("pd.flow.delay(60_000);", "wait"), cell(MARK.format("."), "next")) for _ in range(3)]
    for execution in ids:
        server.wait(execution, "suspended")
    server.kill()
    server._ahead += 120_000
    server.start()
    for execution in ids:
        server.wait(execution, "succeeded")
    assert marks(server) == "..."


def test_an_early_request_survives_the_crash_of_its_step(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    source = """
import pathlib, time
pathlib.Path('link').write_text(pd.flow.suspend()['resume_url'])
while not pathlib.Path('go').exists(): time.sleep(.01)
"""
    execution = server.run(cell(source, "ask"), "pd.context.resume.body")
    link = server.root / "link"
    server.until(lambda: link.exists() and link.read_text())
    assert httpx.post(link.read_text(), json="kept").status_code == 202
    server.kill()
    (server.root / "go").touch()
    server.start()
    done = server.wait(execution, "succeeded")
    assert done["steps"][1]["exports"]["$return_value"] == "kept"


def test_the_third_loss_in_a_row_is_a_crash_loop(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    execution = server.run(cell(MARK.format(".") + HANG, "hangs"))
    for loss in (1, 2, 3):
        server.until(lambda: len(marks(server)) == loss)  # noqa: B023
        server.kill()
        server.start()
    assert server.wait(execution, "failed")["reason"] == "CrashLoop"
    assert len(marks(server)) == 3


def test_a_step_marked_once_is_not_repeated_after_a_crash(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    execution = server.run(cell("#| once: true" + MARK.format(".") + HANG, "pays"))
    server.until(lambda: marks(server))
    server.kill()
    server.start()
    assert server.wait(execution, "failed")["reason"] == "OnceInterrupted"
    assert marks(server) == "."


def test_stopping_in_order_gives_back_what_runs_within_seconds(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    execution = server.run(
        "kept = 1", cell(MARK.format(".") + "if len(open('marks').read()) < 2: " + HANG, "long"), "kept"
    )
    server.until(lambda: marks(server))
    server.stop()
    server.start()
    done = server.wait(execution, "succeeded")
    assert (marks(server), done["steps"][2]["exports"]["$return_value"]) == ("..", 1)


WAITS = """
import socket, time
def listens():
    try: return not socket.create_connection(('127.0.0.1', {port})).close()
    except OSError: return False
while listens(): time.sleep(0.05)
"""


def test_steps_that_end_while_a_server_stops_are_on_record_and_no_other_begins(
    make_server: Callable[..., Server],
) -> None:
    """One ends, and the next, marked ``once``, is left alone; one fails as the server goes, and is repeated."""
    server = make_server("--FlowNB.shutdown_seconds=30", "--FlowNB.max_running=2").start()
    waits = MARK.format(".") + WAITS.format(port=server.port)
    ends = server.run(
        "kept = 1", cell(waits + MARK.format("e"), "ends"), cell("#| once: true" + MARK.format("o")), "kept"
    )
    fails = server.run(
        cell(
            MARK.format("f")
            + "if open('marks').read().count('f') < 2:\n    "
            + "\n    ".join(waits.splitlines())
            + "\n    1 / 0"
        )
    )
    server.until(lambda: marks(server).count(".") == 2)
    server.stop()
    assert sorted(marks(server)) == sorted("..ef")
    assert "will be repeated" in server.log.read_text()
    server.start()
    assert server.wait(ends, "succeeded")["steps"][3]["exports"]["$return_value"] == 1
    assert step(server.wait(fails, "succeeded"), "step_1")["attempts"] == 1
    assert sorted(marks(server)) == sorted("..eoff")


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda file: file.unlink(), "checkpoint_missing"),
        (lambda file: file.write_bytes(file.read_bytes()[:-1]), "snapshot_damaged"),
        (lambda file: file.write_bytes(file.read_bytes()[:-1] + b"x"), "snapshot_damaged"),
    ],
    ids=["missing", "cut short", "altered"],
)
def test_variables_that_cannot_be_had_back_fail_the_execution(
    make_server: Callable[..., Server], harm: Callable[[Path], Any], reason: str
) -> None:
    server = make_server("--FlowNB.warm_seconds=0").start()
    execution = server.run("x = 1" + MARK.format("."), "pd.flow.suspend()", "x")
    server.wait(execution, "suspended")
    for file in (server.root / ".flownb" / "snapshots" / execution).iterdir():
        harm(file)
    assert server.post(execution, "resume").status_code == 200
    done = server.wait(execution, "failed")
    assert (done["reason"], marks(server)) == (reason, ".")


def test_a_checkpoint_that_was_turned_off_is_missed_after_a_pause(make_server: Callable[..., Server]) -> None:
    server = make_server("--FlowNB.warm_seconds=0").start()
    execution = server.run("x = 1", cell("#| checkpoint: false\npd.flow.suspend();", "ask"), "x")
    server.wait(execution, "suspended")
    server.post(execution, "resume")
    done = server.wait(execution, "failed")
    assert done["reason"] == "checkpoint_missing"
    assert "turned its checkpoint off" in done["error"]["evalue"]


def test_a_paused_execution_holds_no_kernel_once_its_warm_time_is_over(make_server: Callable[..., Server]) -> None:
    server = make_server("--FlowNB.warm_seconds=0", "--FlowNB.pool_size=0").start()
    execution = server.run("import os; pd.export('pid', os.getpid())", "pd.flow.suspend()", "os.getpid()")
    pid = server.wait(execution, "suspended")["steps"][0]["exports"]["pid"]
    server.until(lambda: not _alive(pid))
    server.post(execution, "resume")
    done = server.wait(execution, "succeeded")
    assert done["steps"][2]["exports"]["$return_value"] != pid


def _alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_a_setup_cell_that_takes_for_ever_ends_by_the_default_timeout(make_server: Callable[..., Server]) -> None:
    server = make_server("--FlowNB.default_timeout=300ms").start()
    execution = server.run(cell("import time; time.sleep(60)", None, "setup"), "'never'")
    done = server.wait(execution, "failed")
    assert (done["reason"], "setup" in done["error"]["evalue"]) == ("StepTimeout", True)


def test_a_second_server_stands_by_and_takes_over(make_server: Callable[..., Server]) -> None:
    first = make_server().start()
    execution = first.run("x = 3", "pd.flow.suspend()", "x")
    first.wait(execution, "suspended")
    second = make_server(root=first.root)
    second.log = first.root.parent / "second.log"
    second.launch()
    answer = second.until(lambda: _health(second))
    assert (answer.status_code, answer.json()["reason"]) == (503, "standby")
    assert str(first.port) in answer.json()["message"]
    assert second.http.get(f"/executions/{execution}").status_code == 503
    first.kill()
    second.until(second.is_healthy)
    assert second.post(execution, "resume").status_code == 200
    assert second.wait(execution, "succeeded")["steps"][2]["exports"]["$return_value"] == 3


def _health(server: Server) -> httpx.Response | None:
    try:
        answer = server.http.get("/health")
    except httpx.TransportError:
        return None
    return answer if answer.json().get("reason") != "starting" else None


def test_a_server_that_froze_commits_nothing_when_it_comes_back(make_server: Callable[..., Server]) -> None:
    first = make_server().start()
    execution = first.run(cell("pd.flow.suspend();", "ask"), cell(MARK.format("."), "next"))
    link = first.wait(execution, "suspended")["waiting"]["resume_url"]
    assert first.process is not None
    with contextlib.closing(sqlite3.connect(first.database, isolation_level=None)) as ours:
        ours.execute("BEGIN IMMEDIATE")  # frozen inside a transaction, it would keep everybody out of the database
        first.process.send_signal(signal.SIGSTOP)
    second = make_server(root=first.root)
    second.environment["PYTHONPATH"] = os.pathsep.join([str(IMPATIENT), second.environment["PYTHONPATH"]])
    second.log = first.root.parent / "successor.log"
    second.launch()
    second.until(second.is_healthy)
    first.process.send_signal(signal.SIGCONT)
    refused = first.until(lambda: (answer := httpx.post(link)).status_code == 503 and answer)
    assert refused.json()["status"] == "unavailable"
    assert second.get(execution)["status"] == "suspended"
    standby = first.until(lambda: (answer := first.http.get("/health")).json().get("reason") == "standby" and answer)
    assert standby.status_code == 503
    second.post(execution, "resume")
    second.wait(execution, "succeeded")
    assert marks(second) == "."


def test_links_stay_where_they_are_when_no_port_is_named(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    execution = server.run("pd.flow.suspend()")
    link = server.wait(execution, "suspended")["waiting"]["resume_url"]
    server.kill()
    before = server.port
    server.port = 0
    server.launch()
    server.port = before
    server.http.base_url = httpx.URL(server.api)
    server.until(server.is_healthy)
    assert httpx.get(link).json()["status"] == "resumed"


def test_a_port_that_cannot_be_had_again_is_said_loudly(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    server.stop()
    before, server.port = server.port, free_port()
    server.http.base_url = httpx.URL(server.api)
    server.start()
    assert f"point to port {before}" in server.log.read_text()


def test_a_data_folder_that_cannot_be_used_leaves_jupyter_alone(make_server: Callable[..., Server]) -> None:
    server = make_server()
    (server.root / ".flownb").write_text("a file where the folder should be")
    server.launch()
    answer = server.until(lambda: _health(server))
    assert (answer.status_code, answer.json()["reason"]) == (503, "store_failed")
    assert ".flownb" in answer.json()["message"]
    assert httpx.get(f"http://127.0.0.1:{server.port}/flownb/resume/x").status_code == 503
    root = server.api.removesuffix("/flownb/api")
    assert server.http.get(f"{root}/api/contents").status_code == 200
    (server.root / ".flownb").unlink()
    server.until(server.is_healthy)


def test_what_is_kept_is_for_its_owner_alone(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    server.wait(server.run("x = 'secret'", "pd.flow.suspend()"), "suspended")
    kept = server.root / ".flownb"
    assert kept.stat().st_mode & 0o777 == 0o700
    files = [file for file in kept.rglob("*") if file.is_file() and file.name != ".gitignore"]
    assert len(files) >= 4
    assert {oct(file.stat().st_mode & 0o777) for file in files} == {"0o600"}


def test_the_second_listener_serves_links_alone(make_server: Callable[..., Server]) -> None:
    port = free_port()
    server = make_server(f"--FlowNB.callback_port={port}").start()
    execution = server.run("pd.flow.suspend()")
    link = server.wait(execution, "suspended")["waiting"]["resume_url"]
    assert f":{port}/flownb/resume/" in link
    assert httpx.get(f"http://127.0.0.1:{port}/flownb/api/health").status_code == 404
    assert httpx.get(f"http://127.0.0.1:{port}/api/contents").status_code == 404
    assert httpx.post(link).json()["status"] == "resumed"


def test_links_begin_with_the_public_address(make_server: Callable[..., Server]) -> None:
    server = make_server("--FlowNB.public_url=https://flows.example.org/hub/", "--ServerApp.base_url=/hub/")
    server.http.base_url = httpx.URL(server.api.replace("/flownb", "/hub/flownb"))
    server.start()
    execution = server.run("pd.flow.suspend()")
    link = server.wait(execution, "suspended")["waiting"]["review_url"]
    assert link.startswith("https://flows.example.org/hub/flownb/review/")
    local = link.replace("https://flows.example.org", f"http://127.0.0.1:{server.port}")
    assert httpx.get(local, headers={"Host": "flows.example.org", "Accept": "text/html"}).status_code == 200


def test_a_key_that_was_lost_costs_no_link(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    first, second = (server.run("pd.flow.suspend()") for _ in range(2))
    sent = server.wait(first, "suspended")["waiting"]["resume_url"]
    before = server.wait(second, "suspended")["waiting"]["resume_url"]
    server.stop()
    (server.root / ".flownb" / "key.json").unlink()
    server.start()
    assert httpx.post(sent).json()["status"] == "resumed"
    shown = server.get(second)["waiting"]["resume_url"]
    assert shown != before
    assert httpx.post(shown).json()["status"] == "resumed"


def test_an_executed_notebook_that_a_crash_kept_from_being_written_is_written_later(
    make_server: Callable[..., Server],
) -> None:
    server = make_server().start()
    execution = server.run("'done'")
    server.wait(execution, "succeeded")
    (notebook,) = server.until(lambda: list((server.root / "flownb-runs").glob("*.ipynb")))
    server.stop()
    notebook.unlink()
    with sqlite3.connect(server.root / ".flownb" / "flownb.db") as database:
        database.execute("DELETE FROM meta WHERE name = 'recorded'")
    database.close()
    server.start()
    server.until(notebook.exists)


def test_no_secret_is_plain_in_the_database(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    execution = server.run("links = pd.flow.suspend()", "pd.flow.suspend()")
    for _ in range(2):
        waiting = server.wait(execution, "suspended")["waiting"]
        httpx.post(waiting["resume_url"], json=waiting)
        secrets = [waiting[f"{action}_url"].rpartition("/")[2] for action in ("resume", "cancel", "review")]
        server.until(lambda: json.loads(server.http.get(f"/executions/{execution}").text)["status"] != "queued")
        kept = b"".join(file.read_bytes() for file in (server.root / ".flownb").glob("flownb.db*"))
        assert not any(secret.encode() in kept for secret in secrets)


def _fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)


def test_a_full_disk_loses_nothing(make_server: Callable[..., Server]) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    server = make_server()
    data = server.root / ".flownb"
    data.mkdir()
    if os.system(f"mount -t tmpfs -o size=2m tmpfs {data}") != 0:
        pytest.skip("a small file system cannot be mounted here")
    try:
        server.start()
        execution = server.run("pd.flow.suspend()", cell(MARK.format("."), "next"))
        link = server.wait(execution, "suspended")["waiting"]["resume_url"]
        filler = data / "filler"
        _fill(filler)
        refused = httpx.post(link, json={"big": "y" * 200_000})
        assert (refused.status_code, refused.json()["status"]) == (503, "unavailable")
        assert server.get(execution)["status"] == "suspended"
        filler.unlink()
        assert httpx.post(link).json()["status"] == "resumed"
        server.wait(execution, "succeeded")
        assert marks(server) == "."
    finally:
        server.kill()
        os.system(f"umount -l {data}")
