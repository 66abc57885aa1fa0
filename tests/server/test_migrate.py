"""Moving paused executions to another version: what was run stays, links work, and what is to come is the new one's."""

from __future__ import annotations

from typing import Any

import httpx

from tests.server.test_deployed import deploy, start
from tests.support.notebooks import cell, write
from tests.support.opened import refusal
from tests.support.server import Server, returned, step

LOAD = cell("rows = [1, 2]", "load")
ASK = cell("print('asked')\npd.flow.suspend();", "ask")
OLD = cell("'old'", "end")
NEW = cell("[*rows, helper()]", "end")
SETUP = cell("def helper(): return 'new'", None, "setup")


def migrate(server: Server, execution: str, **body: Any) -> dict[str, Any]:
    answer = server.post(execution, "migrate", **body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_paused_execution_goes_on_with_the_latest_version(shared_server: Server) -> None:
    server = shared_server
    first = deploy(server, "moves", LOAD, ASK, OLD)
    execution = start(server, "moves")
    link = server.wait(execution, "suspended")["waiting"]["resume_url"]
    second = deploy(server, "moves", SETUP, LOAD, ASK, cell("'more'", "more"), NEW)
    dry = migrate(server, execution, dry_run=True)
    assert (dry["execution"]["version"], dry["diff"]["text"].count("added")) == (first["version"], 2)
    moved = migrate(server, execution)
    assert moved["execution"]["version"] == second["version"]
    assert [one["name"] for one in moved["execution"]["steps"]] == ["load", "ask", "more", "end"]
    assert "while it waited in step 'ask'" in moved["execution"]["warnings"][0]
    assert "the setup cells are others now" in moved["warnings"][1]
    assert migrate(server, execution)["diff"]["cells"] == []
    assert httpx.get(link).json()["status"] == "resumed"
    ended = server.wait(execution, "succeeded")
    assert (returned(ended, "more"), returned(ended, "end")) == ("more", [1, 2, "new"])
    shown = server.http.get(f"/executions/{execution}/notebook").json()["cells"]
    assert [one["outputs"][0]["text"] for one in shown if one["id"] == step(ended, "ask")["cell_id"]] == ["asked\n"]
    entries = server.http.get(f"/executions/{execution}/journal").json()["entries"]
    (entry,) = (one for one in entries if one["event"] == "Migrated")
    assert (entry["status"], entry["answer"], entry["signature"]["via"]) == ("suspended", "migrated", "api")
    server.http.delete("/workflows/moves")


def test_it_moves_to_the_version_that_is_named_and_back(shared_server: Server) -> None:
    server = shared_server
    numbers = {deploy(server, "to", LOAD, ASK, cell(f"{n}", "end"))["number"]: n for n in (10, 20, 30)}
    execution = start(server, "to")
    server.wait(execution, "suspended")
    for number in (1, 3, 2):
        migrate(server, execution, version=number)
    assert refusal(server.post(execution, "migrate", version=9))[:2] == (404, "not_found")
    assert refusal(server.post(execution, "migrate", version="2"))[:2] == (400, "bad_request")
    server.post(execution, "resume")
    assert returned(server.wait(execution, "succeeded"), "end") == numbers[2]
    assert refusal(server.post(execution, "migrate"))[:2] == (409, "not_suspended")
    server.http.delete("/workflows/to")


def test_what_was_run_is_frozen(shared_server: Server) -> None:
    server = shared_server
    path = write(server.root, "frozen.ipynb", LOAD, ASK, OLD)
    execution = server.submit(path)
    before = server.wait(execution, "suspended")
    write(server.root, "frozen.ipynb", cell("rows = []", "load"), ASK, OLD)
    code, reason, message = refusal(server.post(execution, "migrate"))
    assert (code, reason) == (409, "changed")
    assert "load (changed)" in message
    assert server.get(execution) == before
    assert refusal(server.post(execution, "migrate", version=1))[:2] == (400, "bad_request")
    write(server.root, "frozen.ipynb", LOAD, ASK, cell("rows", "end"))
    migrate(server, execution)
    server.post(execution, "resume")
    assert returned(server.wait(execution, "succeeded"), "end") == [1, 2]


def test_a_moved_execution_survives_a_crash(make_server: Any) -> None:
    server = make_server().start()
    execution = server.submit(write(server.root, "n.ipynb", LOAD, ASK, OLD, OLD | {"metadata": {}}))
    server.wait(execution, "suspended")
    write(server.root, "n.ipynb", LOAD, ASK, cell("rows", "end"))
    moved = migrate(server, execution)["execution"]
    server.kill()
    server.start()
    assert server.get(execution)["version"] == moved["version"]
    server.post(execution, "resume")
    assert returned(server.wait(execution, "succeeded"), "end") == [1, 2]


def test_what_was_opened_before_the_move_goes_on_by_its_pause_but_is_not_replayed(shared_server: Server) -> None:
    server = shared_server
    execution = server.submit(write(server.root, "opened.ipynb", LOAD, ASK, OLD))
    server.wait(execution, "suspended")
    assert server.post(execution, "open").status_code == 201
    write(server.root, "opened.ipynb", LOAD, ASK, cell("rows", "end"))
    migrate(server, execution)
    code, reason, message = refusal(server.post(execution, "continue", replay=True))
    assert (code, reason) == (409, "changed")
    assert "open it again" in message
    assert server.post(execution, "continue").status_code == 200
    assert returned(server.wait(execution, "succeeded"), "end") == [1, 2]
