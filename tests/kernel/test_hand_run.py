"""Cells run by hand, outside an execution."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flownb.core.model import Execution, Step
from flownb.core.told import pd_context

from .conftest import Kernel

CANCELED = "Workflow execution canceled — this may be due to pd.flow.suspend() usage (not supported in test)"


@pytest.fixture(scope="module", autouse=True)
def _loaded(kernel: Kernel) -> None:
    kernel.execute("from flownb import flow, pd")


@pytest.mark.parametrize(
    "code",
    [
        "pd.flow.suspend(); print('on')",
        "links = flow.rerun(5); print('on')",
        "await __import__('asyncio').sleep(0); pd.flow.delay(1); print('on')",
        "def handler(x):\n    x.flow.suspend()\n    print('on')",
    ],
)
def test_a_pause_asked_for_stands_as_an_error_at_the_end(kernel: Kernel, code: str) -> None:
    ran = kernel.execute(code)
    assert [output["msg_type"] for output in ran.outputs] == ["stream", "error"]
    assert ran.of_type("error") == [{"ename": "WorkflowCanceled", "evalue": CANCELED, "traceback": []}]
    assert ran.reply["status"] == "error"
    assert ran.reply["evalue"] == CANCELED
    assert kernel.execute("1").reply["status"] == "ok"


def test_urls_are_inert(kernel: Kernel) -> None:
    kernel.execute("links = pd.flow.suspend()")
    assert kernel.value("links['resume_url']") == "'http://127.0.0.1/flownb/inert/resume'"


def test_an_error_of_the_cell_stands_alone(kernel: Kernel) -> None:
    ran = kernel.execute("pd.flow.suspend(); 1 / 0")
    assert [error["ename"] for error in ran.of_type("error")] == ["ZeroDivisionError"]


def test_calls_are_checked_all_the_same(kernel: Kernel) -> None:
    assert kernel.execute("pd.flow.suspend(True)").reply["ename"] == "InvalidValue"
    assert kernel.execute("pd.export('a', object())").reply["ename"] == "InvalidValue"


def test_exit_and_export_do_nothing(kernel: Kernel) -> None:
    ran = kernel.execute("pd.flow.exit('done'); pd.export('a', 1)")
    assert ran.reply["status"] == "ok"
    assert ran.outputs == []


def test_all_that_a_step_is_told_of_its_run_can_be_read(kernel: Kernel) -> None:
    execution = Execution("id", "a.ipynb", "a.ipynb", "v", {"event": {"body": None}}, 0, (Step("a", "cell"),))
    told = pd_context(execution, execution.steps[0], None)
    assert kernel.value("' '.join(sorted(pd.context))") == repr(" ".join(sorted(told)))


def test_what_there_is_to_read(kernel: Kernel) -> None:
    code = "[pd.context.test, pd.context.run.runs, pd.context.resume, pd.steps.trigger.event.body]"
    assert kernel.execute(code).text == "[True, 1, None, None]"


def test_importing_flownb_is_enough_in_the_cell_that_imports_it(new_kernel: Callable[[], Kernel]) -> None:
    kernel = new_kernel()
    assert kernel.execute("from flownb import flow; flow.suspend();").reply["evalue"] == CANCELED
    assert kernel.execute("def handler(pd): return pd.context.test").text == "True"


def test_loading_the_extension_and_unloaded_kernels(new_kernel: Callable[[], Kernel]) -> None:
    kernel = new_kernel()
    assert kernel.execute("def handler(pd): return 1").text == ""
    assert kernel.execute("%load_ext flownb").reply["status"] == "ok"
    assert kernel.execute("def handler(pd): return 1").text == "1"
    assert kernel.execute("pd.context.test").text == "True"
