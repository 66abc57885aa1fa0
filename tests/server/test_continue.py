"""Going on from an opened execution: with what a person repaired, or not at all."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from typing import Any

import httpx
import nbformat
import pytest

from tests.support.notebooks import cell
from tests.support.opened import (
    CELLS,
    HOUR,
    LOAD,
    LOOK,
    OpenedKernel,
    continued,
    jupyter,
    new_id,
    opened,
    refusal,
    refused,
    snapshot_files,
)
from tests.support.server import Server, returned, step


def test_going_on_with_repaired_variables_and_data(shared_server: Server, waiting: str) -> None:
    with opened(shared_server, waiting) as kernel:
        kernel.run("rows.append(10); note = 'by hand'; del alias; alias = rows; gone = 1; del gone")
        said = continued(kernel, "{'ok': True}")
        assert said == f"Execution {waiting} goes on; you changed 'rows', 'alias', added 'note'."
    done = shared_server.wait(waiting, "succeeded")
    assert returned(done, "look") == [[1, 2, 10], True, {"ok": True}]
    assert done["warnings"] == ["a person opened the pause of step 'ask' and changed 'rows', 'alias', added 'note'"]
    resume = step(done, "ask")["exports"]["$resume_data"]
    assert (resume["method"], resume["body"], resume["client_ip"]) == ("POST", {"ok": True}, "127.0.0.1")
    assert "authorization" not in resume["headers"]
    assert "x-flownb-opened" not in resume["headers"]


@pytest.mark.parametrize(
    ("repair", "changes"),
    [
        ("", "changed nothing"),
        ("rows[0]", "changed nothing"),
        ("import flownb", "changed nothing"),
        ("rows = list(rows); alias = rows", "changed nothing"),
        ("rows[0] = 9", "changed 'rows', 'alias'"),
        ("def total(): return sum(rows)", "added 'total'"),
        ("del alias", "removed 'alias'"),
        ("import math; rows = math", "changed 'rows', added 'math'"),
    ],
)
def test_the_record_says_what_a_person_changed(shared_server: Server, waiting: str, repair: str, changes: str) -> None:
    with opened(shared_server, waiting) as kernel:
        kernel.run(repair)
        assert continued(kernel) == f"Execution {waiting} goes on; you {changes}."
        (warning,) = shared_server.get(waiting)["warnings"]
        assert warning == f"a person opened the pause of step 'ask' and {changes}"
    shared_server.wait(waiting, "succeeded", "failed")


def test_a_failed_execution_is_repaired_and_goes_on_from_the_cell_that_failed(shared_server: Server) -> None:
    execution = shared_server.run(LOAD, cell("1 / (rows[0] - 1)", "divides"), cell("rows", "next"))
    shared_server.wait(execution, "failed")
    with opened(shared_server, execution) as kernel:
        assert "ZeroDivisionError" in kernel.file.read_text()
        kernel.run("rows[0] = 3")
        said = continued(kernel)
        assert "from step 'divides'" in said
        assert "cells" not in said
    done = shared_server.wait(new_id(said), "succeeded")
    assert (returned(done, "divides"), returned(done, "next")) == (0.5, [3])
    assert (done["replay_of"], done["version"]) == (execution, shared_server.get(execution)["version"])
    assert done["warnings"] == ["it starts with variables that a person opened: changed 'rows', 'alias'"]
    assert step(done, "load")["exports"] == {"size": 1}
    assert shared_server.get(execution)["status"] == "failed"


def test_the_first_cell_may_fail_too(make_server: Callable[..., Server]) -> None:
    server = make_server("--FlowNB.max_running=1").start()
    execution = server.run(cell("1 / good", "divides"), cell("good", "next"))
    server.wait(execution, "failed")
    with opened(server, execution) as kernel:
        kernel.run("good = 2")
        server.http.post("/drain", json={"on": True})
        new = new_id(continued(kernel))
    server.kill()
    server.start()
    assert returned(server.wait(new, "succeeded"), "next") == 2


def test_the_source_of_the_failed_cell_is_edited(shared_server: Server) -> None:
    execution = shared_server.run(LOAD, cell("1 / 0", "divides"), cell("rows", "next"))
    shared_server.wait(execution, "failed")
    with opened(shared_server, execution) as kernel:
        kernel.edit("divides", "rows.append(4); 1 / 2")
        add_cell(kernel, 1, "rows.append('in a cell of my own')")
        add_cell(kernel, None, "pd.continue_()")
        said = continued(kernel)
        assert "with the cells as they are in the opened notebook" in said
    done = shared_server.wait(new_id(said), "succeeded")
    assert [one["name"] for one in done["steps"]] == ["load", "divides", "next"]
    assert (returned(done, "divides"), returned(done, "next")) == (0.5, [1, 4])
    assert done["version"] != shared_server.get(execution)["version"]
    again = shared_server.post(done["id"], "replay", **{"from": "divides"}).json()["id"]
    assert returned(shared_server.wait(again, "succeeded"), "divides") == 0.5


def add_cell(kernel: OpenedKernel, place: int | None, source: str) -> None:
    notebook = nbformat.read(kernel.file, 4)
    cells = notebook.cells
    cells.insert(len(cells) if place is None else place, nbformat.v4.new_code_cell(source))
    nbformat.write(notebook, kernel.file)


def test_earlier_cells_that_were_edited_are_refused(shared_server: Server) -> None:
    execution = shared_server.run(LOAD, cell("1 / 0", "divides"))
    shared_server.wait(execution, "failed")
    count = len(shared_server.http.get("/executions").json()["executions"])
    with opened(shared_server, execution) as kernel:
        kernel.edit("load", "rows = 'other'")
        said = refused(kernel)
        assert "load (changed)" in said
        assert "force" not in said
        kernel.file.write_text("{")
        assert "cannot be read" in refused(kernel)
    assert len(shared_server.http.get("/executions").json()["executions"]) == count
    assert not [file for file in snapshot_files(shared_server, execution) if file.name.startswith("open-")]


FORM = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}


@pytest.mark.parametrize("replay", ["", ", replay=True"])
def test_data_that_does_not_fill_the_form_of_the_pause_costs_nothing(shared_server: Server, replay: str) -> None:
    execution = shared_server.run(LOAD, cell(f"pd.flow.suspend(form={FORM!r});", "ask"), LOOK)
    before = shared_server.wait(execution, "suspended")
    with opened(shared_server, execution) as kernel:
        kernel.run("rows.append(3)")
        assert "does not fill the form of the pause: ok" in refused(kernel, "{'ok': 'maybe'}" + replay)
        assert shared_server.get(execution) == before
        assert not [file for file in snapshot_files(shared_server, execution) if file.name.startswith("open-")]
        said = continued(kernel, "{'ok': True}" + replay)
        execution = new_id(said) if replay else execution
    assert returned(shared_server.wait(execution, "succeeded"), "look") == [[1, 3], True, {"ok": True}]


def test_data_without_a_pause_to_take_it_is_refused(shared_server: Server) -> None:
    execution = shared_server.run(LOAD, cell("1 / 0", "divides"))
    shared_server.wait(execution, "failed")
    with opened(shared_server, execution) as kernel:
        assert "no pause here that would take the data" in refused(kernel, "'data'")


ENDS: dict[str, tuple[str, str]] = {
    "resume": ("was resumed at .* by a request from 127.0.0.1", "succeeded"),
    "cancel": ("was cancelled at .* by a request from 127.0.0.1", "cancelled"),
    "timer": ("was ended by its timer at ", "succeeded"),
    "error": ("was ended by its timer at ", "failed"),
}


@pytest.fixture(scope="module")
def moving_server(folders: Callable[[], Any]) -> Any:
    server = Server(folders(), moving_clock=True).start()
    yield server
    server.close()


@pytest.mark.parametrize("end", ENDS)
def test_a_pause_that_ended_meanwhile_is_told_of_and_the_work_becomes_a_replay(moving_server: Server, end: str) -> None:
    how, status = ENDS[end]
    on_timeout = "error" if end == "error" else "resume"
    asks = cell(f"rows.append(2)\npd.flow.suspend({HOUR}, on_timeout={on_timeout!r});", "ask")
    execution = moving_server.run(LOAD, asks, LOOK)
    waiting = moving_server.wait(execution, "suspended")["waiting"]
    with opened(moving_server, execution) as kernel:
        kernel.run("rows.append('mine')")
        if end in ("timer", "error"):
            moving_server.advance(hours=2)
        else:
            httpx.post(waiting[f"{end}_url"], json="theirs")
        before = moving_server.wait(execution, status)
        said = refused(kernel)
        assert re.search(rf"the pause of step 'ask', run 1, {how}", said), said
        assert "pd.continue_(replay=True)" in said
        assert re.search(r" at \d{4}-\d\d-\d\dT[\d:.]+Z", said)
        assert moving_server.get(execution) == before
        new = new_id(continued(kernel, "replay=True"))
        done = moving_server.wait(new, "succeeded")
        assert returned(done, "look") == [[1, 2, "mine"], True, "theirs" if end == "resume" else None]
        other = new_id(continued(kernel, "'my own', replay=True"))
        assert returned(moving_server.wait(other, "succeeded"), "look") == [[1, 2, "mine"], True, "my own"]
    assert moving_server.get(execution)["warnings"] == []


def test_a_second_wish_to_go_on_comes_too_late(shared_server: Server, waiting: str) -> None:
    with opened(shared_server, waiting) as kernel:
        continued(kernel)
        assert "was resumed at" in refused(kernel)
    done = shared_server.wait(waiting, "succeeded")
    assert len(done["warnings"]) == 1


def test_the_api_goes_on_from_what_was_opened_last(shared_server: Server, waiting: str) -> None:
    with opened(shared_server, waiting) as first, opened(shared_server, waiting) as kernel:
        first.run("rows[:] = ['first']")
        kernel.run("rows[:] = ['second']")
        answer = shared_server.post(waiting, "continue", data="by the API")
        assert answer.status_code == 200
        said = answer.json()
        assert (said["execution"], said["message"]) == (
            waiting,
            f"Execution {waiting} goes on; you changed 'rows', 'alias'.",
        )
        assert refusal(shared_server.post(waiting, "continue"))[:2] == (409, "pause_ended")
        replayed = shared_server.post(waiting, "continue", replay=True).json()["execution"]
    assert returned(shared_server.wait(waiting, "succeeded"), "look") == [["second"], True, "by the API"]
    assert returned(shared_server.wait(replayed, "succeeded"), "look") == [["second"], True, "by the API"]


def test_what_is_not_open_cannot_be_gone_on_from(shared_server: Server, waiting: str) -> None:
    assert refusal(shared_server.post("nobody", "continue"))[:2] == (404, "not_found")
    assert refusal(shared_server.post(waiting, "continue"))[:2] == (409, "not_open")
    assert refusal(shared_server.post(waiting, "continue", replay="yes"))[0] == 400
    with opened(shared_server, waiting):
        pass
    assert refusal(shared_server.post(waiting, "continue"))[:2] == (409, "not_open")
    assert shared_server.get(waiting)["status"] == "suspended"


def test_a_kernel_that_was_restarted_has_nothing_open(shared_server: Server, waiting: str) -> None:
    with opened(shared_server, waiting) as kernel:
        jupyter(shared_server, "POST", f"kernels/{kernel.id}/restart")
        code, _, message = refusal(shared_server.post(waiting, "continue"))
        assert (code, "has no execution open" in message) == (409, True)
    assert shared_server.get(waiting)["status"] == "suspended"


def test_a_kernel_that_died_has_nothing_open(shared_server: Server, waiting: str) -> None:
    with opened(shared_server, waiting) as kernel:
        kernel.send("import os; os.kill(os.getpid(), 9)")
        code, reason, _ = refusal(shared_server.post(waiting, "continue"))
        assert (code, reason in ("kernel_failed", "not_open")) == (409, True)
    assert shared_server.get(waiting)["status"] == "suspended"


def test_elsewhere_there_is_nothing_to_continue(shared_server: Server) -> None:
    execution = shared_server.run(cell("pd.continue_()", "tries"))
    error = shared_server.wait(execution, "failed")["error"]
    assert "this kernel has no execution open" in error["evalue"]


def test_a_busy_kernel_is_waited_for(shared_server: Server, waiting: str) -> None:
    """Until its cell ends; where that takes too long, nothing happens."""
    busy = (
        "import pathlib, time\npathlib.Path('busy').touch()\n"
        "while not pathlib.Path('done').exists(): time.sleep(.01)\nrows.append('late')"
    )
    with opened(shared_server, waiting) as kernel:
        kernel.send(busy)
        shared_server.until(lambda: (shared_server.root / "busy").exists())
        assert refusal(shared_server.post(waiting, "continue"))[:2] == (409, "kernel_busy")
        answers: list[httpx.Response] = []
        asking = threading.Thread(target=lambda: answers.append(shared_server.post(waiting, "continue")))
        asking.start()
        (shared_server.root / "done").touch()
        asking.join()
        assert answers[0].status_code == 200, answers[0].text
        saved = [file.name for file in snapshot_files(shared_server, waiting) if file.name.startswith("open-")]
        assert len(saved) == 1
    assert returned(shared_server.wait(waiting, "succeeded"), "look")[0] == [1, 2, "late"]


def test_after_a_restart_nothing_is_open(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    execution = server.run(*CELLS)
    server.wait(execution, "suspended")
    with opened(server, execution) as kernel:
        kernel.run("rows.append('lost')")
        server.kill()
        server.start()
        assert refusal(server.post(execution, "continue"))[:2] == (409, "not_open")
    server.post(execution, "resume")
    assert returned(server.wait(execution, "succeeded"), "look") == [[1, 2], True, None]


def test_the_secret_of_an_opened_kernel_is_in_no_log_and_opens_nothing_else(
    make_server: Callable[..., Server],
) -> None:
    server = make_server("--log-level=DEBUG").start()
    execution = server.run(*CELLS)
    server.wait(execution, "suspended")
    address = f"http://127.0.0.1:{server.port}/flownb/opened"
    with opened(server, execution) as kernel:
        secret = kernel.value("__import__('flownb.kernel.opened', fromlist=['x'])._opened.told['secret']")
        assert len(secret) > 30
        for wrong in ({}, {"X-Flownb-Opened": "x" * 32}):
            assert refusal(httpx.post(address, headers=wrong, json={}))[:2] == (409, "not_open")
        for body in ("{", "[]", "{}", json.dumps({"saved": {"file": "../../x"}, "data": None, "replay": False})):
            answer = httpx.post(address, headers={"X-Flownb-Opened": secret}, content=body)
            assert (answer.status_code, "what an opened kernel saved" in answer.json()["message"]) == (409, True)
        assert server.get(execution)["status"] == "suspended"
        continued(kernel)
        assert secret not in kernel.file.read_text()
    server.wait(execution, "succeeded")
    server.stop()
    log = server.log.read_text()
    assert "/flownb/opened" in log
    assert secret not in log
    assert secret.encode() not in b"".join(
        file.read_bytes() for file in (server.root / ".flownb").rglob("*") if file.is_file()
    )
