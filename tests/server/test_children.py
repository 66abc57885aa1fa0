"""Other workflows as steps: started with the pause that waits for them, and their end is the end of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.test_deployed import deploy, start
from tests.support.notebooks import cell
from tests.support.server import Server, step

DOUBLE = "pd.export('n', pd.steps.trigger.event.body); 2 * pd.steps.trigger.event.body"


def run(server: Server, call: str) -> str:
    return server.run(cell(call, "child"), cell("pd.context.resume", "next"))


def body(server: Server, execution: str) -> dict[str, Any]:
    found: dict[str, Any] = step(server.wait(execution, "succeeded"), "next")["exports"]["$return_value"]["body"]
    return found


def test_a_step_waits_for_the_result_of_another_workflow(each_server: Server) -> None:
    deploy(each_server, "double", cell("pd.flow.delay(1);", "wait"), cell(DOUBLE, "compute"))
    execution = run(each_server, "pd.run('double', 21)")
    found = body(each_server, execution)
    assert (found["status"], found["return_value"], found["error"]) == ("succeeded", 42, None)
    assert found["exports"]["compute"] == {"n": 21, "$return_value": 42}
    child = each_server.get(found["execution"])
    assert child["trigger"]["type"] == "workflow"
    assert child["trigger"]["event"] == {"body": 21}
    assert child["trigger"]["parent"] == {"execution": execution, "step": "child", "depth": 1}
    (pause,) = each_server.get(execution)["pauses"]
    assert (pause["kind"], pause["ended_by"]) == ("wait", "workflow")


def test_a_failed_child_fails_its_step_unless_it_is_to_go_on(shared_server: Server) -> None:
    deploy(shared_server, "fails", "raise ValueError('no')")
    failed = shared_server.wait(run(shared_server, "pd.run('fails')"), "failed")
    assert (failed["reason"], step(failed, "child")["status"]) == ("ChildFailed", "failed")
    assert "'fails' failed: ValueError: no" in failed["error"]["evalue"]
    found = body(shared_server, run(shared_server, "pd.run('fails', on_failure='continue')"))
    assert (found["status"], found["error"], found["return_value"]) == (
        "failed",
        {"ename": "ValueError", "evalue": "no"},
        None,
    )


def test_what_is_not_deployed_fails_the_step(shared_server: Server) -> None:
    failed = shared_server.wait(run(shared_server, "pd.run('nobody', on_failure='continue')"), "failed")
    assert failed["reason"] == "NoSuchWorkflow"
    assert "flownb deploy" in failed["error"]["evalue"]


def test_a_circle_comes_to_an_end(shared_server: Server) -> None:
    deploy(shared_server, "circle", "pd.run('circle')", concurrency=50)
    failed = shared_server.wait(start(shared_server, "circle"), "failed")
    assert failed["reason"] == "ChildFailed"
    page = shared_server.http.get("/executions?workflow=circle&limit=100").json()["executions"]
    assert len(page) == 33
    assert {one["reason"] for one in page} == {"ChildFailed", "TooDeep"}


@pytest.mark.parametrize(("act", "becomes"), [("cancel", "cancelled"), ("resume", "suspended")])
def test_a_child_goes_with_its_parent_but_not_with_a_lost_race(shared_server: Server, act: str, becomes: str) -> None:
    deploy(shared_server, "long", "pd.flow.suspend();")
    execution = run(shared_server, "pd.flow.wait([pd.flow.workflow('long'), pd.flow.request()]);")
    waiting = shared_server.wait(execution, "suspended")["waiting"]
    child = waiting["alternatives"][0]["execution"]
    shared_server.wait(child, "suspended")
    assert shared_server.post(execution, act).status_code == 200
    shared_server.wait(execution, "cancelled" if act == "cancel" else "succeeded")
    assert shared_server.get(child)["status"] == becomes
    shared_server.post(child, "cancel")


@pytest.mark.parametrize("fault", ["step.reply:1", "commit.before:6", "commit.after:6"])
def test_power_lost_round_the_pause_and_the_start_of_the_child_starts_it_once(make_server: Any, fault: str) -> None:
    """The step's end, the pause and the child are one commit, the sixth of this server."""
    server = make_server().start()
    deploy(server, "double", DOUBLE)
    server.stop()
    server.environment["FLOWNB_FAULT"] = fault
    server.start()
    execution = run(server, "pd.run('double', 4)")
    server.until(lambda: server.died)
    del server.environment["FLOWNB_FAULT"]
    server.start()
    assert body(server, execution)["return_value"] == 8
    assert len(server.http.get("/executions?workflow=double").json()["executions"]) == 1
