"""Deciding by the API: whose decision it was, which pause was meant, more time, many at once, what is told of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import httpx
import nbformat
import pytest

from tests.support.notebooks import cell
from tests.support.server import Server, step

ASK = cell("pd.flow.suspend(3_600_000, reason='look');", "ask")
TOLD = cell("pd.context.resumed_by", "told")
AGAIN = cell("print('run', pd.context.run.runs); pd.flow.rerun(3_600_000);", "again")


@pytest.fixture
def waiting(shared_server: Server) -> str:
    """An execution that waits for a decision."""
    execution = shared_server.run(ASK, TOLD)
    shared_server.wait(execution, "suspended")
    return execution


def test_whose_decision_it_was_is_told_to_the_author_and_kept(shared_server: Server, waiting: str) -> None:
    said = shared_server.post(waiting, "resume", by=" Ana ", comment="fine by me", shown="abc")
    assert said.status_code == 200
    done = shared_server.wait(waiting, "succeeded")
    told = {"name": "Ana", "user": None, "via": "api", "comment": "fine by me"}
    assert step(done, "told")["exports"]["$return_value"] == told
    (pause,) = done["pauses"]
    assert (pause["step"], pause["ended_by"], pause["reason"]) == ("ask", "resume", "look")
    decision = pause["decision"]
    assert (decision["action"], decision["by"], decision["comment"]) == ("resume", "Ana", "fine by me")
    assert (decision["shown"], decision["ip"], decision["at"]) == ("abc", "127.0.0.1", pause["ended_at"])


def test_the_journal_says_who_decided_what_and_from_where(shared_server: Server, waiting: str) -> None:
    shared_server.post(waiting, "cancel", by="Ana")
    entries = shared_server.http.get(f"/executions/{waiting}/journal").json()["entries"]
    assert [entry["event"] for entry in entries][:3] == ["Created", "Admitted", "StepStarted"]
    last = entries[-1]
    assert (last["event"], last["action"], last["answer"]) == ("RequestArrived", "cancel", "cancelled")
    assert last["signature"] == {"by": "Ana", "via": "api", "ip": "127.0.0.1"}
    assert shared_server.http.get("/executions/none/journal").status_code == 404


def test_one_wins_and_the_other_sees_who(shared_server: Server, waiting: str) -> None:
    pause = shared_server.get(waiting)["waiting"]["pause"]
    answers: list[httpx.Response] = []

    def click(name: str) -> None:
        answers.append(shared_server.post(waiting, "resume", pause=pause, by=name))

    clicking = [threading.Thread(target=click, args=[name]) for name in ("Ana", "Ben")]
    for thread in clicking:
        thread.start()
    for thread in clicking:
        thread.join()
    first, second = sorted((answer.json() for answer in answers), key=lambda said: said["status"], reverse=True)
    assert (first["status"], second["status"]) == ("resumed", "already_resumed")
    done = shared_server.wait(waiting, "succeeded")
    assert second["by"] == done["pauses"][0]["decision"]["by"]
    assert second["at"] == done["pauses"][0]["ended_at"]


def test_a_pause_that_came_after_the_one_that_was_shown_is_left_alone(shared_server: Server) -> None:
    execution = shared_server.run(AGAIN)
    shown = shared_server.wait(execution, "suspended", runs=1)["waiting"]["pause"]
    assert shared_server.post(execution, "resume", pause=shown, by="Ana").json()["status"] == "resumed"
    shared_server.wait(execution, "suspended", runs=2)
    late = shared_server.post(execution, "cancel", pause=shown)
    assert (late.status_code, late.json()["status"], late.json()["by"]) == (409, "already_resumed", "Ana")
    assert shared_server.get(execution)["status"] == "suspended"


@pytest.mark.parametrize("pause", ["", "ask", "ask/1", "ask/x/1", "ask/-1/1", "ask/1/" + "9" * 20, 7, {}])
def test_what_names_no_pause_is_refused(shared_server: Server, waiting: str, pause: Any) -> None:
    answer = shared_server.post(waiting, "resume", pause=pause)
    assert (answer.status_code, "id of a pause" in answer.json()["message"]) == (400, True)


def test_half_of_a_surrogate_pair_names_no_pause(shared_server: Server, waiting: str) -> None:
    answer = shared_server.http.post(f"/executions/{waiting}/resume", content=rb'{"pause": "\ud800/1/1"}')
    assert (answer.status_code, "id of a pause" in answer.json()["message"]) == (400, True)


@pytest.mark.parametrize("said", [{"by": 5}, {"by": "x" * 201}, {"comment": ["x"]}, {"comment": "x" * 10_001}])
def test_words_that_are_no_text_are_refused(shared_server: Server, waiting: str, said: dict[str, Any]) -> None:
    answer = shared_server.post(waiting, "resume", **said)
    assert (answer.status_code, next(iter(said)) in answer.json()["message"]) == (400, True)
    assert shared_server.get(waiting)["status"] == "suspended"


def test_a_deadline_is_put_off(make_server: Callable[..., Server]) -> None:
    server = make_server(moving_clock=True).start()
    execution = server.run(ASK)
    before = server.wait(execution, "suspended")["waiting"]
    said = server.post(execution, "postpone", **{"for": "1d", "pause": before["pause"], "by": "Ana"})
    assert (said.status_code, said.json()["status"]) == (200, "postponed")
    after = server.get(execution)["waiting"]
    assert after["wakes_at"] == said.json()["at"] > before["wakes_at"]
    server.advance(hours=2)
    assert server.get(execution)["status"] == "suspended"
    server.advance(hours=24)
    server.wait(execution, "succeeded")
    assert server.post(execution, "postpone", **{"for": "1d"}).status_code == 409


@pytest.mark.parametrize("later", [None, "soon", -1, "367d", True])
def test_what_is_no_time_puts_nothing_off(shared_server: Server, waiting: str, later: Any) -> None:
    before = shared_server.get(waiting)["waiting"]["wakes_at"]
    assert shared_server.post(waiting, "postpone", **{"for": later}).status_code == 400
    assert shared_server.get(waiting)["waiting"]["wakes_at"] == before


def test_many_at_once_are_each_answered_for(shared_server: Server) -> None:
    executions = [shared_server.run(ASK, TOLD) for _ in range(3)]
    for execution in executions:
        shared_server.wait(execution, "suspended")
    shared_server.post(executions[2], "cancel", by="Ben")
    pause = shared_server.get(executions[1])["waiting"]["pause"]
    asked = [executions[0], {"id": executions[1], "pause": pause}, {"id": executions[2], "pause": pause}, "none"]
    said = shared_server.http.post("/executions/resume", json={"executions": asked, "by": "Ana"}).json()["executions"]
    assert [one["id"] for one in said] == [*executions, "none"]
    assert [one["code"] for one in said] == [200, 200, 409, 404]
    assert (said[2]["status"], said[2]["by"]) == ("already_cancelled", "Ben")
    done = shared_server.wait(executions[0], "succeeded")
    assert done["pauses"][0]["decision"]["by"] == "Ana"


@pytest.mark.parametrize("listed", [None, "x", [1], [{"pause": "a/1/1"}], ["\ud800"], [{"id": "\ud800"}]])
def test_many_that_are_no_list_of_executions_are_refused(shared_server: Server, listed: Any) -> None:
    asked = json.dumps({"executions": listed})
    assert shared_server.http.post("/executions/resume", content=asked).status_code == 400


def test_executions_are_found_by_text_and_by_what_they_wait_for(shared_server: Server) -> None:
    again = shared_server.run(AGAIN)
    asking = shared_server.run(ASK)
    shared_server.wait(again, "suspended")
    shared_server.wait(asking, "suspended")

    def found(**query: str) -> list[str]:
        page = shared_server.http.get("/executions", params={"limit": "500", **query}).json()
        return [execution["id"] for execution in page["executions"]]

    assert asking in found(kind="suspend")
    assert again not in found(kind="suspend")
    assert again in found(kind="rerun", status="suspended")
    assert found(search=again[2:9]) == [again]
    notebook = shared_server.get(asking)["notebook"]
    assert asking in found(search=notebook.upper())
    assert found(search="%") == found(search="no_such") == []
    assert shared_server.http.get("/executions", params={"kind": "nap"}).status_code == 400
    assert shared_server.http.get("/executions", params={"search": "x" * 1_001}).status_code == 400


def test_the_executed_notebook_keeps_each_run_apart_and_says_who_decided(
    make_server: Callable[..., Server],
) -> None:
    server = make_server().start()
    execution = server.run(AGAIN)
    server.wait(execution, "suspended", runs=1)
    server.post(execution, "resume", by="Ana", comment="again, please")
    server.wait(execution, "suspended", runs=2)
    notebook = server.http.get(f"/executions/{execution}/notebook").json()
    nbformat.validate(nbformat.from_dict(notebook))
    (only,) = notebook["cells"]
    told = only["metadata"]["flownb"]
    assert (told["status"], told["runs"]) == ("suspended", 2)
    (decision,) = told["decisions"]
    assert (decision["run"], decision["action"], decision["by"]) == (1, "resume", "Ana")
    assert decision["comment"] == "again, please"
    texts = [output.get("text") or output["data"]["text/plain"] for output in only["outputs"]]
    assert texts == ["run 1", "run 1\n", "run 2", "run 2\n"]
    assert [output["metadata"]["flownb"]["run"] for output in only["outputs"][::2]] == [1, 2]
