"""Several servers on one Postgres: each answers everything, and what one leaves another takes over."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import postgres
from tests.support.notebooks import cell, write
from tests.support.server import Server, returned, step

LEASE = 2

SLOW = """
import os, pathlib, time
with open(f"{pd.context.trace_id}.runs", "a") as runs:
    runs.write(f"{os.getpid()}\\n")
while not pathlib.Path("go").exists():
    time.sleep(0.05)
before + 1
"""

Several = list[Server]


@pytest.fixture(scope="module")
def url() -> str:
    return postgres.new_database()


@pytest.fixture(scope="module")
def three(folders: Callable[[], Path], url: str) -> Iterator[Several]:
    """On one folder, as with a network file system, each with a slot."""
    root = folders()
    settings = (f"--FlowNB.lease_seconds={LEASE}", "--FlowNB.max_running=1")
    made = [Server(root, *settings, store=url, name=f"{root.name}-{number}") for number in range(3)]
    for server in made:
        server.start()
    yield made
    for server in made:
        server.close()


def all_up(servers: Several) -> None:
    for server in servers:
        if server.died is not None:
            server.start()


def owner(servers: Several, execution: str) -> int:
    """Which server runs an execution: the parent of its kernel's parents."""
    (runs,) = servers[0].root.glob(f"{execution}.runs")
    pid = int(runs.read_text().split()[-1])
    ours = {server.process.pid: place for place, server in enumerate(servers) if server.process is not None}
    while pid not in ours:
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return ours[pid]


def test_any_server_answers_for_all(three: Several) -> None:
    one, two, other = three
    execution = one.run(cell("before = 41\npd.flow.suspend();", "ask"), cell("before + 1", "next"))
    waiting = two.wait(execution, "suspended")["waiting"]
    assert f":{two.port}/" in waiting["resume_url"]
    link = waiting["resume_url"].replace(f":{two.port}/", f":{other.port}/")
    assert httpx.post(link, json={"ok": True}).json()["status"] == "resumed"
    assert httpx.post(waiting["resume_url"]).json()["status"] == "already_resumed"
    for server in three:
        assert returned(server.wait(execution, "succeeded"), "next") == 42
    assert other.http.get(f"/executions/{execution}/notebook").json()["cells"]


def test_each_runs_what_it_has_slots_for_and_another_may_cancel_it(three: Several) -> None:
    (three[0].root / "go").unlink(missing_ok=True)
    name = write(three[0].root, "slow.ipynb", cell("before = 1", "first"), cell(SLOW, "slow"))
    executions = [three[0].submit(name) for _ in range(4)]
    three[1].until(lambda: len(list(three[0].root.glob("*.runs"))) == 3)
    assert sorted(owner(three, path.stem) for path in three[0].root.glob("*.runs")) == [0, 1, 2]
    assert [three[2].get(one)["status"] for one in executions].count("queued") == 1
    for one in executions:
        assert three[1].post(one, "cancel").status_code == 200
    three[0].until(lambda: all(three[0].get(one)["status"] == "cancelled" for one in executions))
    after = three[2].run(cell("1", "only"))
    three[0].wait(after, "succeeded")


@pytest.mark.parametrize("how", ["killed", "frozen", "stopped"])
def test_what_one_leaves_another_takes_over(three: Several, how: str) -> None:
    all_up(three)
    go = three[0].root / "go"
    go.unlink(missing_ok=True)
    execution = three[1].run(cell("before = 41", "first"), cell(SLOW, "slow"))
    three[1].until(lambda: list(three[0].root.glob(f"{execution}.runs")))
    place = owner(three, execution)
    gone, alive = three[place], three[place - 1]
    process = gone.process
    assert process is not None
    if how == "killed":
        gone.kill()
    elif how == "frozen":
        os.kill(process.pid, signal.SIGSTOP)
    else:
        gone.stop()
    runs = three[0].root / f"{execution}.runs"
    alive.until(lambda: len(runs.read_text().split()) == 2)
    if how == "frozen":
        os.kill(process.pid, signal.SIGCONT)
    go.touch()
    ended: dict[str, Any] = alive.wait(execution, "succeeded")
    assert returned(ended, "slow") == 42
    assert (step(ended, "slow")["runs"], step(ended, "slow")["attempts"]) == (1, 1)
    if how == "frozen":
        name = write(gone.root, "again.ipynb", cell("1", "only"))
        gone.until(lambda: gone.http.post("/executions", json={"notebook": name}).status_code == 201)
    all_up(three)


def test_timers_and_deployments_are_everybodys(three: Several) -> None:
    all_up(three)
    one, two, other = three
    name = write(one.root, "timed.ipynb", cell("pd.flow.delay(300)", "nap"), cell("pd.context.run.runs", "last"))
    one.kill()  # whoever led
    assert two.http.put("/workflows/timed", json={"notebook": name}).status_code == 200
    started: list[str] = []

    def start() -> bool:
        answer = other.http.post("/executions", json={"workflow": "timed"})
        if answer.status_code == 201:
            started.append(answer.json()["id"])
        return bool(started)

    other.until(start)
    assert returned(other.wait(started[0], "succeeded"), "last") == 1
    one.start()
    assert "timed" in {each["name"] for each in one.http.get("/workflows").json()["workflows"]}
