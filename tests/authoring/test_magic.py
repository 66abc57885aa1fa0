"""The line magic itself: help, errors, completion, docstrings, and that it does nothing in an execution."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.authoring.conftest import Author, Open
from tests.kernel.conftest import NOTHING_ASKED, Kernel
from tests.support.notebooks import cell


def complete(author: Author, code: str) -> list[str]:
    """What Tab offers at the end of a cell."""
    return list(author.request("complete_request", code=code, cursor_pos=len(code))["matches"])


def inspected(author: Author, code: str) -> str:
    """What Shift+Tab shows."""
    content = author.request("inspect_request", code=code, cursor_pos=len(code), detail_level=0)
    return str(content["data"].get("text/plain", ""))


@pytest.mark.parametrize("line", ["%flownb", "%flownb help"])
def test_help(author: Open, line: str) -> None:
    assert "%flownb tick [TIME]" in author().ask(line)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%flownb simulat on", "%flownb has no 'simulat': there is simulate, tick, run, check, deploy, settings, help"),
        ("%flownb simulate maybe", "there is on, off, reset, status"),
        ("%flownb simulate reset", "no simulation is on: `%flownb simulate on` begins one"),
        ("%flownb tick", "no simulation is on"),
        ("%flownb simulate on --data {a", "--data: expected JSON, got '{a'"),
        ("%flownb check", "save it and add its path"),
        ("%flownb check none.ipynb", "there is no file "),
    ],
)
def test_what_is_wrong_is_said_without_a_traceback(author: Open, line: str, said: str) -> None:
    (error,) = author().type(line).of_type("error")
    assert said in error["evalue"]
    assert error["traceback"] == []


def test_a_time_that_is_none(author: Open) -> None:
    notebook = author("1")
    notebook.ask("%flownb simulate on")
    (error,) = notebook.type("%flownb tick soon").of_type("error")
    assert 'expected a time like "10s"' in error["evalue"]


def test_check_lists_findings_by_cell(author: Open) -> None:
    notebook = author(cell("import pandas as pd", "load"), cell("pd.flow.suspend()", "<ask>"))
    (shown,) = notebook.type("%flownb check").of_type("display_data")
    assert "error    cell 2 (<ask>): line 1: pd.flow is not flownb's" in shown["data"]["text/plain"]
    assert "<td" in shown["data"]["text/html"]
    assert "cell 2 (&lt;ask&gt;)" in shown["data"]["text/html"]
    assert re.match(r"written.ipynb, saved .* \d\d:\d\d:\d\d [-+\w]+: ", shown["data"]["text/plain"])


def test_check_finds_nothing(author: Open) -> None:
    (shown,) = author("1").type("%flownb check").of_type("display_data")
    assert shown["data"]["text/plain"].endswith(": no findings")


def test_completion_and_docstrings_of_all_of_pd(author: Open) -> None:
    notebook = author(cell("pd.export('rows', 3); {'total': 4}", "load"), cell("pd.flow.suspend()", "ask"))
    notebook.ask("%flownb simulate on")
    notebook.ask(0)
    assert {"context", "continue_", "export", "flow", "respond", "send", "steps"} <= set(complete(notebook, "pd."))
    assert set(complete(notebook, "x = pd.flow.")) >= {"suspend", "rerun", "delay", "exit"}
    assert complete(notebook, "print(pd.steps.") == ["load", "trigger", "get", "items", "keys", "values"]
    assert complete(notebook, "pd.steps.load.ro") == ["rows"]
    assert complete(notebook, "pd.steps.as") == []
    notebook.click(notebook.run(1), "Resume")
    assert complete(notebook, "pd.steps.as") == ["ask"]
    assert complete(notebook, "pd.steps.ask.resume_data.b") == ["body"]
    assert "total" in complete(notebook, "pd.steps['load'].")
    assert complete(notebook, 'pd.steps["tr') == ['trigger"]']
    assert complete(notebook, "pd.steps.load['") == ["rows']", "$return_value']", "total']"]
    assert {"trace_id", "run", "resume", "test"} <= set(complete(notebook, "pd.context."))
    assert complete(notebook, "pd.context.run.c") == ["callback_request", "context"]
    for name in ("flow", "steps", "context", "export", "continue_", "send", "flow.suspend", "flow.rerun", "flow.delay"):
        assert "Docstring" in inspected(notebook, f"pd.{name}")
    assert "until ``timeout`` milliseconds (24 hours)" in inspected(notebook, "pd.flow.suspend(")


def test_completion_elsewhere_is_left_alone(author: Open) -> None:
    notebook = author()
    notebook.ask("rows = {'a': 1}; word = 'x'")
    assert "upper" in complete(notebook, "word.up")
    assert complete(notebook, "rows['") == ["a"]


def test_completion_of_the_magic(author: Open) -> None:
    notebook = author()
    assert complete(notebook, "%flow")[0] == "%flownb"
    assert complete(notebook, "%flownb ") == ["simulate", "tick", "run", "check", "deploy", "settings", "help"]
    assert complete(notebook, "%flownb si") == ["simulate"]
    assert complete(notebook, "%flownb simulate ") == ["on", "off", "reset", "status"]
    assert complete(notebook, "%flownb run --d") == ["--data"]


LINES = ["%load_ext flownb", "%flownb simulate on", "%flownb nonsense", "%flownb tick", "%flownb run"]


def test_in_an_execution_nothing_happens(author: Open, kernel: Kernel) -> None:
    ran = kernel.step("\n".join(LINES))
    assert ran.outputs == []
    assert ran.asked == NOTHING_ASKED


def test_in_an_execution_widgets_are_not_even_imported(kernel: Kernel) -> None:
    kernel.step("%flownb simulate on")
    told: dict[str, Any] = kernel.step(
        "import sys; ['ipywidgets' in sys.modules, 'flownb.authoring' in sys.modules]"
    ).asked
    assert told["exports"] == {"$return_value": [False, False]}
