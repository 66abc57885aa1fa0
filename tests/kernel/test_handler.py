"""Cells that define a handler."""

from __future__ import annotations

import pytest

from flownb.kernel.handler import add_call

from .conftest import NOTHING_ASKED, Kernel

CALL = "await __flownb_call__(handler)\n"


@pytest.mark.parametrize(
    "source",
    [
        "def handler(pd): pass",
        "async def handler(x):\n    await x",
        "def handler(pd: 'pipedream', verbose=False, *, more=1, **rest):\n    pass  # the end",
        "@decorated\ndef handler(*, pd=1): pass\ndef handler(pd, /): pass",
        "def handler(pd):\n    pass\n\nx = 1;",
        "await something\ndef handler(pd): '\\d'",
    ],
)
def test_the_call_is_added_on_a_line_of_its_own(source: str) -> None:
    lines = source.splitlines(keepends=True)
    assert add_call(lines) == [*lines, "\n", CALL]


@pytest.mark.parametrize(
    "source",
    [
        "handler = 1",
        "def handler(): pass",
        "def handler(a, b): pass",
        "def handler(pd, *, needed): pass",
        "if True:\n    def handler(pd): pass",
        "class A:\n    def handler(self): pass",
        "def handler(pd): pass\n)",
        "def handler(pd): '\0'",
    ],
)
def test_other_cells_are_left_alone(source: str) -> None:
    lines = source.splitlines(keepends=True)
    assert add_call(lines) is lines


def test_sync_and_async_handlers_return_an_export(kernel: Kernel) -> None:
    for code in (
        "def handler(pd):\n    return {'runs': pd.context.run.runs}  # as documented",
        "async def handler(x):\n    await asyncio.sleep(0)\n    return {'runs': x.context.run.runs}\nimport asyncio;",
        "async def inner(pd): return {'runs': 1}\ndef handler(pd): return inner(pd)",
    ):
        ran = kernel.step(code)
        assert ran.asked == {**NOTHING_ASKED, "exports": {"$return_value": {"runs": 1}}}
        assert ran.text == "{'runs': 1}"


def test_a_handler_that_returns_nothing(kernel: Kernel) -> None:
    ran = kernel.step("def handler(pd): pd.export('a', 1)")
    assert ran.asked == {**NOTHING_ASKED, "exports": {"a": 1}}
    assert ran.outputs == []


def test_a_return_value_must_be_json(kernel: Kernel) -> None:
    reply = kernel.step("def handler(pd): return {'items': [1, 2, object()]}").reply
    assert reply["ename"] == "InvalidValue"
    assert reply["evalue"].startswith("return value.items[2] is of type object")


def test_the_traceback_shows_the_authors_code_only(kernel: Kernel) -> None:
    for prefix in ("", "async "):
        reply = kernel.step(f"{prefix}def handler(pd):\n    return 1 / 0  # here").reply
        assert reply["ename"] == "ZeroDivisionError"
        traceback = "\n".join(reply["traceback"])
        assert "# here" in traceback
        assert "kernel/handler.py" not in traceback


def test_a_name_that_pd_has_not_is_told_with_those_it_has(kernel: Kernel) -> None:
    reply = kernel.step("def handler(pd): pd.answer({})").reply
    there = "context, continue_, data_store, export, flow, inputs, respond, run, send, steps"
    assert reply["evalue"] == f"pd has no 'answer': there is {there}"
