"""Whoever alters a record without the key is found out, with where it was; a record that nobody touched is sound."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.support.command import flownb
from tests.support.notebooks import cell
from tests.support.server import OF_SQLITE, Server

CELLS = (
    cell("print('counted'); pd.export('total', 12)", "count"),
    cell("pd.flow.suspend(reason='Pay 12?')", "ask"),
    cell("pd.export('paid', pd.steps['count'].total)", "pay"),
)

pytestmark = OF_SQLITE


@pytest.fixture(scope="module")
def server(folders: Callable[[], Path]) -> Iterator[Server]:
    """A server whose records are altered: nothing can be told again of them."""
    made = Server(folders()).start()
    yield made
    made.kill()
    made.http.close()


@pytest.fixture
def paused(server: Server) -> str:
    execution = server.run(*CELLS)
    server.wait(execution, "suspended")
    return execution


@pytest.fixture
def ended(server: Server, paused: str) -> str:
    assert server.post(paused, "resume", by="Ana", comment="yes").status_code == 200
    server.wait(paused, "succeeded")
    return paused


def verify(server: Server, execution: str, **query: str) -> Any:
    answer = server.http.get(f"/executions/{execution}/verify", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def written(server: Server, execution: str) -> Path:
    """The executed notebook, once it has been written to the end."""

    def found() -> Path | None:
        files = (server.root / "flownb-runs").glob(f"*{execution}.ipynb")
        ended = [file for file in files if json.loads(file.read_text())["metadata"]["flownb_execution"]["finished_at"]]
        return ended[0] if ended else None

    file: Path = server.until(found)
    return file


def edit(server: Server, statement: str, execution: str) -> None:
    with closing(sqlite3.connect(server.database, timeout=30)) as db, db:
        assert db.execute(statement, {"id": execution}).rowcount > 0, statement


def test_what_nobody_touched_is_sound_at_every_stage(server: Server, ended: str) -> None:
    file = written(server, ended)
    found = verify(server, ended)
    assert (found["status"], found["altered"], found["notebook"]) == ("sound", [], "sound")
    assert found["entries"] == len(server.http.get(f"/executions/{ended}/journal").json()["entries"])
    saved = json.loads(file.read_text())  # as JupyterLab saves it again
    for one in saved["cells"]:
        one["source"] = one["source"].splitlines(keepends=True)
        one["metadata"]["collapsed"] = False
    file.write_text(json.dumps(saved))
    assert verify(server, ended)["notebook"] == "sound"
    file.unlink()
    assert verify(server, ended)["notebook"] == "missing"
    replay = server.post(ended, "replay", **{"from": "pay"}).json()["id"]
    server.wait(replay, "succeeded")
    assert verify(server, replay)["altered"] == []


EDITS = {
    "the status": ("UPDATE executions SET status = 'failed' WHERE id = :id", "executions"),
    "a cost": ("UPDATE executions SET compute_ms = 77, segment_ms = 77 WHERE id = :id", "executions"),
    "what started it": ("""UPDATE executions SET trigger = '{"type": "http"}' WHERE id = :id""", "executions"),
    "an export": ("""UPDATE steps SET exports = '{"total":1}' WHERE execution = :id AND name = 'count'""", "steps"),
    "an output": ("UPDATE outputs SET outputs = replace(outputs, 'counted', 'x') WHERE execution = :id", "outputs"),
    "an output that is gone": ("DELETE FROM outputs WHERE execution = :id AND step = 'count'", "outputs"),
    "who decided": ("UPDATE pauses SET decision = replace(decision, 'Ana', 'Bob') WHERE execution = :id", "pauses"),
    "a pause that is gone": ("DELETE FROM pauses WHERE execution = :id", "pauses"),
    "an entry": ("UPDATE journal SET at = at + 1 WHERE execution = :id AND event = 'RequestArrived'", "journal"),
    "a signature": ("UPDATE journal SET mac = NULL WHERE execution = :id AND event = 'RequestArrived'", "journal"),
    "the key of an entry": ("UPDATE journal SET key = 'other' WHERE execution = :id AND event = 'Created'", "journal"),
    "an entry that is gone": ("DELETE FROM journal WHERE execution = :id AND event = 'RequestArrived'", "journal"),
    "the latest entry": (
        "DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal WHERE execution = :id)",
        "executions",
    ),
    "the order of entries": (
        """UPDATE journal SET seq = -seq WHERE execution = :id AND event = 'RequestArrived'""",
        "journal",
    ),
}


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_of_the_database_is_found(server: Server, ended: str, what: str) -> None:
    statement, table = EDITS[what]
    edit(server, statement, ended)
    found = verify(server, ended)
    assert found["status"] == "altered"
    assert table in [one["table"] for one in found["altered"]]


def test_the_step_and_the_entry_are_named(server: Server, ended: str) -> None:
    edit(server, EDITS["an export"][0], ended)
    assert [one["where"] for one in verify(server, ended)["altered"]] == ["count"]
    assert "count: was altered after entry" in flownb(server, "verify", ended, status=1)


def test_the_pinned_notebook_and_the_executed_one_are_held_to_the_record(server: Server, ended: str) -> None:
    file = written(server, ended)
    file.write_text(file.read_text().replace("counted", "skipped"))
    found = verify(server, ended)
    assert (found["status"], found["notebook"]) == ("altered", "altered")
    assert [one["table"] for one in found["altered"]] == ["runs_dir"]
    pinned = """UPDATE versions SET content = replace(content, '{}', '{}')
                WHERE version = (SELECT version FROM executions WHERE id = :id)"""
    edit(server, pinned.format("Pay 12?", "Pay 9?"), ended)
    assert "versions" in [one["table"] for one in verify(server, ended)["altered"]]
    edit(server, pinned.format("Pay 9?", "Pay 12?"), ended)


def test_going_on_from_an_altered_record_does_not_make_it_sound(server: Server, paused: str) -> None:
    edit(server, EDITS["an export"][0], paused)
    server.post(paused, "resume")
    ended = server.wait(paused, "succeeded")
    assert ended["steps"][2]["exports"]["paid"] == 1
    found = verify(server, paused)
    assert found["status"] == "altered"
    assert "had been altered" in found["altered"][0]["what"]


def test_an_anchor_tells_of_a_record_that_was_put_back(server: Server, paused: str) -> None:
    anchor = flownb(server, "verify", paused, "--anchor").strip()
    assert anchor == f"{paused}:{verify(server, paused)['head']}"
    server.post(paused, "resume")
    server.wait(paused, "succeeded")
    assert flownb(server, "verify", "--expect", anchor).startswith("sound")
    forged = f"{anchor[:-4]}{'1111' if anchor.endswith('0000') else '0000'}"
    assert "was put back" in flownb(server, "verify", "--expect", forged, status=1)


def test_entries_of_a_key_that_is_lost_are_said_to_be_unverifiable(make_server: MakeServer) -> None:
    server = make_server().start()
    execution = server.run(*CELLS)
    server.wait(execution, "suspended")
    server.kill()
    (server.root / ".flownb" / "key.json").unlink()
    server.start()
    found = verify(server, execution)
    assert (found["status"], found["unverifiable"]) == ("unverifiable", found["entries"])
    server.post(execution, "resume")
    server.wait(execution, "succeeded")
    after = verify(server, execution)
    assert (after["status"], after["altered"]) == ("unverifiable", [])
    assert 0 < after["unverifiable"] < after["entries"]
    edit(server, "UPDATE executions SET reason = '\"none\"' WHERE id = :id", execution)
    assert verify(server, execution)["status"] == "altered"
    edit(server, "UPDATE executions SET reason = NULL WHERE id = :id", execution)


def test_all_are_verified_at_once_and_the_status_says_whether_one_was_altered(server: Server, ended: str) -> None:
    edit(server, EDITS["a cost"][0], ended)
    found = json.loads(flownb(server, "verify", "--all", "--json", status=1))["executions"]
    assert next(one for one in found if one["execution"] == ended)["status"] == "altered"
    assert server.http.get("/executions/nobody/verify").status_code == 404
    assert server.http.get(f"/executions/{ended}/verify", params={"expect": "x"}).status_code == 400
