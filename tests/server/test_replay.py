"""Replays: what a new execution keeps of the old one, and when it cannot begin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.notebooks import cell, write
from tests.support.opened import refusal
from tests.support.server import Server, returned, step

HOUR = 3_600_000
MARK = "\nopen(pd.context.trace_id, 'a').write({!r});"
"""A side effect that is there for each run of a step, in a file of the execution."""

LOAD = cell("rows = [1]\nalias = rows\nprint('loaded')\npd.export('size', 1)" + MARK.format("l"), "load")
ASK = cell("rows.append(2)\nprint('asked')\npd.flow.suspend(reason='look')" + MARK.format("a"), "ask")
ADD = cell("rows.append(3)" + MARK.format("+") + "\n[rows, alias is rows, pd.context.resume]", "add")
CLEAR = cell("seen = list(rows); rows.clear()" + MARK.format("c") + "\nseen", "clear")
CELLS = (LOAD, ASK, ADD, CLEAR)


def marks(server: Server, execution: str) -> str:
    file = server.root / execution
    return file.read_text() if file.exists() else ""


def replay(server: Server, execution: str, step: str | None, **more: Any) -> str:
    answer = server.post(execution, "replay", **{"from": step}, **more)
    assert answer.status_code == 201, answer.text
    new = answer.json()
    assert (new["replay_of"], new["id"] != execution) == (execution, True)
    assert answer.headers["Location"].endswith(f"/executions/{new['id']}")
    return str(new["id"])


def refused(server: Server, execution: str, step: str | None, **more: Any) -> tuple[int, str, str]:
    return refusal(server.post(execution, "replay", **{"from": step}, **more))


@pytest.fixture(scope="module")
def finished(shared_server: Server) -> str:
    """An execution that was resumed with data, went through, and cleared its rows at the end."""
    execution = shared_server.run(*CELLS, data={"why": "test"})
    shared_server.wait(execution, "suspended")
    shared_server.post(execution, "resume", data="go")
    assert returned(shared_server.wait(execution, "succeeded"), "clear") == [1, 2, 3]
    return execution


def test_from_a_later_step_all_is_as_it_was_when_that_step_began(shared_server: Server, finished: str) -> None:
    before = shared_server.get(finished)
    new = shared_server.wait(replay(shared_server, finished, "add"), "succeeded")
    assert marks(shared_server, new["id"]) == "+c"
    resume = step(new, "ask")["exports"]["$resume_data"]
    assert resume["body"] == "go"
    assert returned(new, "add") == [[1, 2, 3], True, resume]
    for name in ("load", "ask"):
        assert step(new, name)["exports"] == step(before, name)["exports"]
        assert step(new, name)["status"] == "succeeded"
        assert step(new, name)["compute_ms"] == 0
    assert new["trigger"] == before["trigger"]
    assert (new["segments"], new["suspended_ms"], new["warnings"]) == (1, 0, [])
    assert shared_server.get(finished) == before | {"disk": shared_server.get(finished)["disk"]}
    assert marks(shared_server, finished) == "la+c"


def test_the_executed_notebook_has_the_outputs_of_the_steps_before(shared_server: Server, finished: str) -> None:
    new = replay(shared_server, finished, "add")
    shared_server.wait(new, "succeeded")
    cells = shared_server.http.get(f"/executions/{new}/notebook").json()["cells"]
    assert [output.get("text") for cell in cells[:2] for output in cell["outputs"]][0:1] == ["loaded\n"]
    assert cells[1]["outputs"][0]["text"] == "asked\n"
    assert all(len(cell["outputs"]) == 1 for cell in (cells[0], cells[2], cells[3]))


def test_from_a_step_that_paused_it_pauses_again_with_links_of_its_own(shared_server: Server, finished: str) -> None:
    new = replay(shared_server, finished, "ask")
    waiting = shared_server.wait(new, "suspended")["waiting"]
    assert (waiting["step"], waiting["reason"]) == ("ask", "look")
    assert shared_server.post(new, "resume", data="other").status_code == 200
    done = shared_server.wait(new, "succeeded")
    assert returned(done, "add")[:2] == [[1, 2, 3], True]
    assert returned(done, "add")[2]["body"] == "other"
    assert marks(shared_server, new) == "a+c"


@pytest.mark.parametrize("first", [None, "load"])
def test_from_the_beginning_all_steps_run_again(shared_server: Server, finished: str, first: str | None) -> None:
    new = replay(shared_server, finished, first)
    shared_server.wait(new, "suspended")
    shared_server.post(new, "resume")
    assert returned(shared_server.wait(new, "succeeded"), "clear") == [1, 2, 3]
    assert marks(shared_server, new) == "la+c"
    assert shared_server.get(new)["trigger"]["event"] == {"body": {"why": "test"}}


def test_what_a_step_is_told_of_its_replay(shared_server: Server) -> None:
    told = "[pd.context.trace_id, pd.context.replay, pd.steps.first['$return_value'], pd.context.run.runs]"
    execution = shared_server.run(cell("pd.context.replay", "first"), cell(told, "told"))
    done = shared_server.wait(execution, "succeeded")
    assert returned(done, "told") == [execution, False, False, 1]
    new = replay(shared_server, execution, "told")
    assert returned(shared_server.wait(new, "succeeded"), "told") == [new, True, False, 1]


def test_of_a_failed_execution_the_failed_step_can_be_tried_again(shared_server: Server) -> None:
    fails = (
        "import pathlib\nif not pathlib.Path('there').exists(): rows.append('bad'); raise OSError('not there')\nrows"
    )
    execution = shared_server.run(LOAD, cell(fails, "reads"), cell("len(rows)" + MARK.format("n"), "never"))
    shared_server.wait(execution, "failed")
    assert refused(shared_server, execution, "never")[:2] == (409, "not_reached")
    (shared_server.root / "there").touch()
    new = shared_server.wait(replay(shared_server, execution, "reads"), "succeeded")
    assert returned(new, "reads") == [1]
    assert (marks(shared_server, execution), marks(shared_server, new["id"])) == ("l", "n")
    assert shared_server.get(execution)["status"] == "failed"


PAUSES = {
    "suspend": ("pd.flow.suspend()", True),
    "delay": (f"pd.flow.delay({HOUR})", True),
    "rerun": (f"if pd.context.trace_id == FIRST: pd.flow.rerun({HOUR}, 'seen')", False),
    "retry": ("if pd.context.trace_id == FIRST: 1 / 0", False),
}


@pytest.mark.parametrize("cancelled", [False, True], ids=["paused", "cancelled"])
@pytest.mark.parametrize("kind", PAUSES)
def test_of_a_paused_execution(shared_server: Server, kind: str, cancelled: bool) -> None:
    """Where the step has nothing left to do, a replay begins behind it; a cancel takes that back."""
    source, ended = PAUSES[kind]
    waits = f"#| retry: {{max: 1, first: 1h}}\nrows.append(len(rows) + 1)\n{source}"
    execution = shared_server.run(
        cell("rows = [1]; FIRST = pd.context.trace_id", "load"), cell(waits, "waits"), cell("rows", "next")
    )
    waiting = shared_server.wait(execution, "suspended")["waiting"]
    assert waiting["kind"] == kind
    if cancelled:
        shared_server.post(execution, "cancel")
    if ended and not cancelled:
        new = replay(shared_server, execution, "next")
        assert returned(shared_server.wait(new, "succeeded"), "next") == [1, 2]
        assert shared_server.get(execution)["waiting"] == waiting
    else:
        code, reason, message = refused(shared_server, execution, "next")
        assert (code, reason) == (409, "not_reached")
        assert f"step 'waits' is {'cancelled' if cancelled else 'suspended'}" in message
    again = replay(shared_server, execution, "waits")
    if ended:
        shared_server.wait(again, "suspended")
        shared_server.post(again, "resume")
    assert returned(shared_server.wait(again, "succeeded"), "next") == [1, 2]
    shared_server.post(execution, "cancel")


def test_behind_a_step_that_ran_more_than_once(shared_server: Server) -> None:
    again = "rows = [*rows, pd.context.run.runs]\nif pd.context.run.runs < 3: pd.flow.rerun(0)"
    told = "[rows, pd.context.resume, pd.steps.again]"
    execution = shared_server.run(cell("rows = []", "load"), cell(again, "again"), cell(told, "told"))
    first = returned(shared_server.wait(execution, "succeeded"), "told")
    assert first[0] == [1, 2, 3]
    new = shared_server.wait(replay(shared_server, execution, "told"), "succeeded")
    assert returned(new, "told") == first
    assert step(new, "again")["runs"] == 3
    rerun = shared_server.wait(replay(shared_server, execution, "again"), "succeeded")
    assert (returned(rerun, "told")[0], step(rerun, "again")["runs"]) == ([1, 2, 3], 3)


def test_a_replay_of_a_replay(shared_server: Server, finished: str) -> None:
    new = replay(shared_server, finished, "add")
    shared_server.wait(new, "succeeded")
    newer = shared_server.wait(replay(shared_server, new, "clear"), "succeeded")
    assert (newer["replay_of"], returned(newer, "clear")) == (new, [1, 2, 3])
    newest = shared_server.wait(replay(shared_server, newer["id"], "add"), "succeeded")
    assert returned(newest, "add") == returned(shared_server.get(finished), "add")
    assert marks(shared_server, newest["id"]) == "+c"


def test_a_replay_needs_nothing_of_the_original_any_more(shared_server: Server) -> None:
    large = "import random\nlarge = random.Random(1).randbytes(3_000_000)\npd.export('sum', sum(large))"
    execution = shared_server.run(cell(large, "load"), cell("pd.flow.suspend()", "ask"), cell("sum(large)", "look"))
    shared_server.wait(execution, "suspended")
    alone = shared_server.get(execution)["disk"]
    assert (alone["bytes"] > 3_000_000, alone["shared"]) == (True, 0)
    new = replay(shared_server, execution, "ask")
    both = [shared_server.wait(one, "suspended")["disk"] for one in (execution, new)]
    assert all(disk["shared"] >= 3_000_000 for disk in both)
    shared_server.post(execution, "cancel")
    assert shared_server.http.delete(f"/executions/{execution}").status_code == 204
    assert shared_server.get(new)["disk"]["shared"] == 0
    newer = replay(shared_server, new, "look")
    done = shared_server.wait(newer, "succeeded")
    assert returned(done, "look") == step(done, "load")["exports"]["sum"]


def test_parameters_of_the_original_hold(shared_server: Server) -> None:
    cells = (cell("days = 1; rate = 2", "given", "parameters"), cell("[days, rate]", "told"))
    execution = shared_server.run(*cells, data={"days": 30})
    assert returned(shared_server.wait(execution, "succeeded"), "told") == [30, 2]
    for first in (None, "told"):
        done = shared_server.wait(replay(shared_server, execution, first), "succeeded")
        assert returned(done, "told") == [30, 2]


def deployed(server: Server, name: str, *cells: Any) -> str:
    """An execution of a notebook that can be changed, at its end."""
    execution = server.submit(write(server.root, name, *cells))
    server.wait(execution, "succeeded")
    return execution


A, B, C = cell("rows = [1]", "a"), cell("rows.append(2)", "b"), cell("rows", "c")


def test_the_latest_version_runs_where_only_later_steps_changed(shared_server: Server) -> None:
    execution = deployed(shared_server, "later.ipynb", A, B, C)
    same = shared_server.wait(replay(shared_server, execution, "c", version="latest"), "succeeded")
    assert same["version"] == shared_server.get(execution)["version"]
    write(shared_server.root, "later.ipynb", A, B, cell("['new', *rows]", "c"), cell("len(rows)", "d"))
    old = shared_server.wait(replay(shared_server, execution, "c"), "succeeded")
    assert returned(old, "c") == [1, 2]
    new = shared_server.wait(replay(shared_server, execution, "c", version="latest"), "succeeded")
    assert (returned(new, "c"), returned(new, "d"), new["warnings"]) == (["new", 1, 2], 2, [])
    assert new["version"] != same["version"]


def test_earlier_steps_that_changed_stand_in_the_way_unless_forced(shared_server: Server) -> None:
    execution = deployed(shared_server, "earlier.ipynb", A, B, C)
    changed = cell("rows.append('changed')", "b")
    write(shared_server.root, "earlier.ipynb", A, cell("1", "x"), changed, cell("rows + ['new']", "c"))
    code, reason, message = refused(shared_server, execution, "c", version="latest")
    assert (code, reason) == (409, "changed")
    assert "b (changed), x (new)" in message
    new = shared_server.wait(replay(shared_server, execution, "c", version="latest", force=True), "succeeded")
    assert returned(new, "c") == [1, 2, "new"]
    assert [one["status"] for one in new["steps"]] == ["succeeded", "skipped", "succeeded", "succeeded"]
    (warning,) = new["warnings"]
    assert "b (changed), x (new)" in warning
    assert replay(shared_server, execution, None, version="latest")


def test_a_notebook_that_is_gone_has_no_latest_version(shared_server: Server) -> None:
    execution = deployed(shared_server, "gone.ipynb", A, B)
    (shared_server.root / "gone.ipynb").unlink()
    assert refused(shared_server, execution, "b", version="latest")[:2] == (404, "not_found")
    shared_server.wait(replay(shared_server, execution, "b"), "succeeded")


@pytest.mark.parametrize(
    ("body", "code", "word"),
    [
        ({"from": "nope"}, 400, "there is no step 'nope', there is load, ask, add, clear"),
        ({"from": 1}, 400, "`from` is the name of a step"),
        ({"version": "newest"}, 400, '"same" or "latest"'),
        ({"force": 1}, 400, "`force` is true or false"),
        ({"step": "add"}, 400, "unknown key"),
    ],
)
def test_bad_input(shared_server: Server, finished: str, body: dict[str, Any], code: int, word: str) -> None:
    answer = shared_server.post(finished, "replay", **body)
    assert (answer.status_code, word in answer.json()["message"]) == (code, True)


def test_an_execution_that_there_is_not(shared_server: Server) -> None:
    assert refused(shared_server, "nobody", "a")[:2] == (404, "not_found")


def test_behind_a_step_without_a_checkpoint_none_begins(shared_server: Server) -> None:
    cells = (A, cell("#| checkpoint: false\nrows.append(2)", "b"), cell("rows", "c"), cell("rows", "d"))
    execution = shared_server.run(*cells)
    shared_server.wait(execution, "succeeded")
    code, reason, message = refused(shared_server, execution, "c")
    assert (code, reason) == (409, "checkpoint_missing")
    assert "step 'b' turned its checkpoint off" in message
    for first in ("b", "d"):
        done = shared_server.wait(replay(shared_server, execution, first), "succeeded")
        assert returned(done, "d") == [1, 2]


def test_snapshots_that_were_dropped_leave_only_the_beginning(make_server: Callable[..., Server]) -> None:
    server = make_server("--FlowNB.keep_snapshots_seconds=0").start()
    execution = server.run(A, B, C)
    server.wait(execution, "succeeded")
    server.until(lambda: server.get(execution)["disk"]["bytes"] == 0)
    code, reason, message = refused(server, execution, "c")
    assert (code, reason) == (409, "checkpoint_missing")
    assert "its snapshots were kept for a time and are gone" in message
    assert returned(server.wait(replay(server, execution, None), "succeeded"), "c") == [1, 2]


def test_a_replay_survives_a_restart_before_its_first_step(make_server: Callable[..., Server]) -> None:
    server = make_server("--FlowNB.max_running=1").start()
    execution = server.run(A, B, C)
    server.wait(execution, "succeeded")
    server.http.post("/drain", json={"on": True})
    new = replay(server, execution, "c")
    server.kill()
    server.start()
    assert returned(server.wait(new, "succeeded"), "c") == [1, 2]
