"""What is over goes by age, count and size, the oldest first; what waits never does, and the bill stays."""

from __future__ import annotations

import json

from tests.conftest import MakeServer
from tests.support.command import flownb
from tests.support.notebooks import write
from tests.support.server import Server

PAUSES = ("x = 1", "pd.flow.suspend(timeout=366 * 86_400_000)", "y = 2")


def ids(server: Server) -> list[str]:
    return [one["id"] for one in server.http.get("/executions").json()["executions"]]


def end(server: Server, notebook: str) -> str:
    execution = server.submit(notebook)
    server.wait(execution, "succeeded")
    return execution


def test_by_age_and_count_the_oldest_go_and_what_waits_stays(make_server: MakeServer) -> None:
    server = make_server("--FlowNB.keep_executions_days=2", "--FlowNB.keep_executions=2", moving_clock=True).start()
    write(server.root, "quick.ipynb", "1")
    write(server.root, "other.ipynb", "1")
    write(server.root, "waits.ipynb", *PAUSES)
    waiting = server.submit("waits.ipynb")
    server.wait(waiting, "suspended")
    other = end(server, "other.ipynb")
    ended = [end(server, "quick.ipynb") for _ in range(4)]
    kept = {waiting, other, *ended[-2:]}
    server.until(lambda: set(ids(server)) == kept)
    assert server.http.get(f"/executions/{ended[0]}").status_code == 404
    assert not (server.root / ".flownb" / "snapshots" / ended[0]).exists()
    server.advance(days=3)
    server.until(lambda: ids(server) == [waiting])
    total = server.http.get("/usage").json()["total"]
    assert (total["executions"], total["credits"]) == (6, 6)
    server.post(waiting, "resume")
    assert server.wait(waiting, "succeeded")["steps"][2]["status"] == "succeeded"


def test_by_size_the_oldest_go_and_a_dry_run_says_which(make_server: MakeServer) -> None:
    server = make_server().start()
    write(server.root, "large.ipynb", "import os; x = os.urandom(300_000); print('y' * 1000)")
    ended = [end(server, "large.ipynb") for _ in range(3)]
    taken = server.http.get("/retention").json()
    assert taken["executions"] == []
    asked = ("--dry-run", "--bytes", str(taken["bytes"] - 400_000), "--json")
    found = json.loads(flownb(server, "prune", *asked))
    assert [(one["execution"], one["why"]) for one in found["executions"]] == [(one, "bytes") for one in ended[:2]]
    assert server.http.get("/retention", params={"days": "x"}).status_code == 400
    by_count = server.http.get("/retention", params={"executions": 1}).json()["executions"]
    assert {one["execution"] for one in by_count} == set(ended[:2])
    assert len(ids(server)) == 3
    server.stop()
    server.settings.append(f"--FlowNB.keep_bytes={taken['bytes'] - 400_000}")
    server.start()
    server.until(lambda: ids(server) == [ended[2]])
    pool = server.root / ".flownb" / "snapshots"
    assert sum(file.stat().st_size for file in pool.rglob("*") if file.is_file()) < 700_000
