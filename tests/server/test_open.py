"""Opening an execution in a live kernel: what is there, and what is left alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import httpx
import nbformat
import pytest

from tests.support.notebooks import cell
from tests.support.opened import (
    CELLS,
    HOUR,
    LOAD,
    LOOK,
    continued,
    jupyter,
    new_id,
    opened,
    refusal,
    refused,
    sessions,
    snapshot_files,
)
from tests.support.server import Server, returned, step


def test_an_opened_pause_has_the_variables_and_the_record(shared_server: Server, waiting: str) -> None:
    with opened(shared_server, waiting) as kernel:
        assert kernel.value("[rows, alias is rows]") == [[1, 2], True]
        assert kernel.value("pd.steps.load") == {"size": 1}
        assert kernel.value("[pd.context.trace_id, pd.context.test, pd.context.run.runs]") == [waiting, True, 1]
        folder = kernel.value("__import__('os').getcwd()")
        assert folder == str(shared_server.root)


def test_the_notebook_of_an_opened_execution(shared_server: Server, waiting: str) -> None:
    with opened(shared_server, waiting) as kernel, opened(shared_server, waiting) as second:
        assert (kernel.path != second.path, kernel.id != second.id) == (True, True)
        assert kernel.path.startswith("flownb-runs/")
        assert kernel.file.stat().st_mode & 0o777 == 0o600
        notebook = nbformat.read(kernel.file, 4)
        nbformat.validate(notebook)
        introduction, load, ask, button, look = notebook.cells
        assert waiting in introduction.source
        assert "step `ask`" in introduction.source
        assert "Continue()" in button.source
        assert [one.metadata.name for one in (load, ask, look)] == ["load", "ask", "look"]
        assert load.outputs[0].text == "loaded\n"
        known = {session["path"]: session for session in sessions(shared_server)}
        assert {known[one.path]["kernel"]["id"] for one in (kernel, second)} == {kernel.id, second.id}
        assert {known[one.path]["type"] for one in (kernel, second)} == {"notebook"}


def test_opening_changes_nothing(shared_server: Server, waiting: str) -> None:
    before = shared_server.get(waiting)
    with opened(shared_server, waiting) as kernel:
        kernel.run("rows.append('by hand'); new = 1; del alias")
        assert shared_server.get(waiting) == before
        assert httpx.post(before["waiting"]["resume_url"], json="as it was").json()["status"] == "resumed"
    done = shared_server.wait(waiting, "succeeded")
    assert returned(done, "look") == [[1, 2], True, "as it was"]
    assert done["warnings"] == []


def test_cells_by_hand_neither_pause_nor_export(shared_server: Server, waiting: str) -> None:
    before = shared_server.get(waiting)
    with opened(shared_server, waiting) as kernel:
        with pytest.raises(AssertionError, match="Workflow execution canceled"):
            kernel.run("pd.flow.suspend()")
        kernel.run("pd.export('size', 2)")
        assert kernel.value("pd.steps.load") == {"size": 1}
    assert shared_server.get(waiting) == before


def test_setup_cells_have_run_and_what_cannot_be_carried_is_named(shared_server: Server) -> None:
    execution = shared_server.run(
        cell("import threading, os\nlock = threading.Thread()\npid = os.getpid()", "setup", "setup"),
        cell("lost = (i for i in range(3)); kept = 1; made_in = pid; pd.flow.suspend();", "ask"),
        cell("[kept, pid == made_in]", "next"),
    )
    shared_server.wait(execution, "suspended")
    with opened(shared_server, execution) as kernel:
        assert kernel.run("type(lock).__name__") == "'Thread'"
        with pytest.raises(AssertionError, match=r"variable 'lost' .* made in step 'ask'"):
            kernel.run("next(lost)")
        kernel.run("kept = 2; lost = 3")
        assert "changed 'lost', 'kept'" in continued(kernel)
    assert returned(shared_server.wait(execution, "succeeded"), "next")[0] == 2


RERUN = f"""rows.append(pd.context.run.runs)
if pd.context.run.runs == 1:
    pd.flow.rerun({HOUR}, 'seen', 3)
else:
    pd.export('told', [rows, pd.context.run.context, pd.context.run.get('callback_request', {{}}).get('body')])"""


def test_a_rerun_is_opened_and_runs_again_with_what_was_repaired(shared_server: Server) -> None:
    execution = shared_server.run(LOAD, cell(RERUN, "poll"), LOOK)
    shared_server.wait(execution, "suspended")
    with opened(shared_server, execution) as kernel:
        assert kernel.value("rows") == [1, 1]
        assert "poll" not in kernel.value("pd.steps")
        kernel.run("rows.append('repaired')")
        continued(kernel, "'called'")
    done = shared_server.wait(execution, "succeeded")
    assert step(done, "poll")["exports"]["told"] == [[1, 1, "repaired", 2], "seen", "called"]
    assert step(done, "poll")["runs"] == 2


def test_a_rerun_that_failed_is_opened_with_what_the_run_before_it_left(shared_server: Server) -> None:
    source = """rows.append(pd.context.run.runs)
if pd.context.run.runs == 1: pd.flow.rerun(0)
elif 'good' not in rows: 1 / 0"""
    execution = shared_server.run(LOAD, cell(source, "poll"), LOOK)
    shared_server.wait(execution, "failed")
    with opened(shared_server, execution) as kernel:
        assert "step `poll`" in kernel.file.read_text()
        assert kernel.value("rows") == [1, 1]
        kernel.run("rows.append('good')")
        new = new_id(continued(kernel))
    done = shared_server.wait(new, "succeeded")
    assert returned(done, "look")[0] == [1, 1, "good", 1, 2]
    with opened(shared_server, new, step="poll") as kernel:
        assert kernel.value("rows") == [1, 1, "good", 1, 2]


@pytest.mark.parametrize("first", [True, False], ids=["first step", "later step"])
def test_a_wait_for_another_attempt_is_opened_before_its_step(shared_server: Server, first: bool) -> None:
    source = "#| retry: {max: 2, first: 1h}\nrows = globals().get('rows', [0])\nif rows[-1] != 'good': 1 / 0\nrows"
    execution = shared_server.run(*([] if first else [LOAD]), cell(source, "tries"), cell("rows", "next"))
    shared_server.wait(execution, "suspended")
    with opened(shared_server, execution) as kernel:
        if not first:
            assert kernel.value("[rows, pd.steps.load]") == [[1], {"size": 1}]
        kernel.run("rows = ['good']")
        assert f"Execution {execution} goes on" in continued(kernel)
    done = shared_server.wait(execution, "succeeded")
    assert (returned(done, "next"), step(done, "tries")["attempts"]) == (["good"], 2)
    assert done["checkpoints"][0]["step"] == (None if first else "load")


def test_an_earlier_step_is_opened_as_that_left_it(shared_server: Server, waiting: str) -> None:
    with opened(shared_server, waiting, step="load") as kernel:
        assert kernel.value("[rows, pd.steps.load, 'ask' in pd.steps]") == [[1], {"size": 1}, False]
        kernel.run("rows.append('other')")
        new = new_id(continued(kernel))
    assert shared_server.get(waiting)["status"] == "suspended"
    found = shared_server.wait(new, "suspended")
    assert found["warnings"] == ["it starts with variables that a person opened: changed 'rows', 'alias'"]
    shared_server.post(new, "resume", data="yes")
    assert returned(shared_server.wait(new, "succeeded"), "look") == [[1, "other", 2], True, "yes"]
    shared_server.post(waiting, "cancel")


def test_of_a_succeeded_execution_any_step_is_opened(shared_server: Server, waiting: str) -> None:
    shared_server.post(waiting, "resume", data="yes")
    shared_server.wait(waiting, "succeeded")
    with opened(shared_server, waiting) as kernel:
        assert kernel.value("[rows, pd.steps.look['$return_value'][2]]") == [[1, 2], "yes"]
        assert "nothing is left to run" in refused(kernel)
    with opened(shared_server, waiting, step="ask") as kernel:
        assert kernel.value("['look' in pd.steps, pd.steps.ask['$resume_data'].body]") == [False, "yes"]
        kernel.run("rows[:] = [7]")
        new = new_id(continued(kernel))
    done = shared_server.wait(new, "succeeded")
    assert returned(done, "look") == [[7], True, "yes"]
    assert shared_server.get(waiting)["warnings"] == []


def test_a_running_execution_is_opened_before_the_step_that_runs(shared_server: Server) -> None:
    source = (
        "import pathlib, time\nrows.append('running')\nwhile not pathlib.Path('go').exists(): time.sleep(.01)\nrows"
    )
    execution = shared_server.run(LOAD, cell(source, "hangs"))
    shared_server.until(lambda: step(shared_server.get(execution), "hangs")["status"] == "running")
    with opened(shared_server, execution) as kernel:
        assert kernel.value("[rows, list(pd.steps)]") == [[1], ["trigger", "load"]]
        kernel.run("rows.clear()")
        new = new_id(continued(kernel))
    assert shared_server.get(execution)["status"] == "running"
    (shared_server.root / "go").touch()
    assert returned(shared_server.wait(execution, "succeeded"), "hangs") == [1, "running"]
    assert returned(shared_server.wait(new, "succeeded"), "hangs") == ["running"]
    (shared_server.root / "go").unlink()


def leftovers(server: Server) -> tuple[int, int, list[str]]:
    files = sorted(file.name for file in (server.root / "flownb-runs").glob("*-open*"))
    return len(jupyter(server, "GET", "kernels").json()), len(sessions(server)), files


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        ("delete", "checkpoint_missing"),
        ("alter", "snapshot_damaged"),
        ("setup", "kernel_failed"),
        ("death", "kernel_failed"),
        ("kernelspec", "kernel_failed"),
    ],
)
def test_what_cannot_be_opened_leaves_nothing_behind(
    make_server: Callable[..., Server], harm: str, reason: str
) -> None:
    server = make_server()
    spec = server.root / "share/kernels/other/kernel.json"
    spec.parent.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "Other", "language": "python"}))
    server.environment["JUPYTER_PATH"] = str(server.root / "share")
    server.start()
    harms = "import os\nif os.path.exists('setup'): raise OSError('broken')\nif os.path.exists('death'): os._exit(3)"
    setup = cell(harms, "prepare", "setup")
    execution = server.run(setup, *CELLS, kernelspec={"name": "other", "display_name": "Other", "language": "python"})
    before = server.wait(execution, "suspended")
    (file,) = (file for file in snapshot_files(server, execution) if file.name.startswith("1-"))
    if harm == "delete":
        file.unlink()
    elif harm == "alter":
        file.write_bytes(file.read_bytes()[:-1] + b"?")
    elif harm == "kernelspec":
        spec.unlink()
    else:
        (server.root / harm).touch()
    code, said, message = refusal(server.post(execution, "open"))
    assert (code, said) == (409, reason), message
    assert leftovers(server) == (0, 0, [])
    after = server.get(execution)
    assert {**after, "disk": None} == {**before, "disk": None}


def test_a_step_without_variables_cannot_be_opened(shared_server: Server) -> None:
    cells = (LOAD, cell("#| checkpoint: false\nrows.append(2)", "skips"), cell("1 / 0", "fails"))
    execution = shared_server.run(*cells)
    shared_server.wait(execution, "failed")
    for body in ({}, {"step": "skips"}):
        code, reason, message = refusal(shared_server.post(execution, "open", **body))
        assert (code, reason) == (409, "checkpoint_missing")
        assert "step 'skips' turned its checkpoint off" in message
    with opened(shared_server, execution, step="load") as kernel:
        assert kernel.value("rows") == [1]


def test_bad_input(shared_server: Server, waiting: str) -> None:
    assert refusal(shared_server.post("nobody", "open"))[:2] == (404, "not_found")
    assert refusal(shared_server.post(waiting, "open", step=1))[0] == 400
    assert refusal(shared_server.post(waiting, "open", step="nope"))[0] == 400
    assert refusal(shared_server.post(waiting, "open", step="look"))[:2] == (409, "not_reached")


def test_dropped_snapshots_cannot_be_opened(make_server: Callable[..., Server]) -> None:
    server = make_server("--FlowNB.keep_snapshots_seconds=0").start()
    execution = server.run(LOAD)
    server.wait(execution, "succeeded")
    server.until(lambda: server.get(execution)["disk"]["bytes"] == 0)
    code, reason, message = refusal(server.post(execution, "open"))
    assert (code, reason) == (409, "checkpoint_missing")
    assert "its snapshots were kept for a time and are gone" in message
