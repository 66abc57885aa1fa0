"""The cell tagged parameters, where the trigger's body has values for its names."""

from __future__ import annotations

import pytest

from .conftest import NOTHING_ASKED, Kernel


@pytest.mark.parametrize(
    ("code", "expression", "value"),
    [
        ("a = 1\nb = a + 1", "(a, b)", "(10, 11)"),
        ("(a, [x, *c]), d.e, d[c[0]] = (1, [2, 3]), 4, 5", "(a, c)", "(10, {'k': [None, True]})"),
        ("a: int = 1\nc: dict", "(a, c)", "(10, {'k': [None, True]})"),
        ("a = b = 0\na += 1", "(a, b)", "(10, 0)"),
        ("if True:\n    a = 3", "a", "3"),
        ("def f():\n    a = 1\n    return a", "f()", "1"),
        ("a = 1\n%time a = 2", "a", "2"),
        ("get_ipython().run_cell('a = 2')", "a", "2"),
    ],
)
def test_assignments_at_the_top_level_take_the_value(kernel: Kernel, code: str, expression: str, value: str) -> None:
    kernel.execute("class d: __class_getitem__ = 0\nd = type('D', (dict,), {})()")
    parameters = {"a": 10, "c": {"k": [None, True]}, "s": "\ud800"}
    assert kernel.step(code, parameters=parameters).reply["status"] == "ok"
    assert kernel.value(expression) == value


def test_values_are_copies_and_the_last_expression_stays_the_last(kernel: Kernel) -> None:
    ran = kernel.step("a = 0; b = 0\na.append(1)\n[a, b]", parameters={"a": [], "b": "\ud800'"})
    assert ran.asked == {**NOTHING_ASKED, "exports": {"$return_value": [[1], "\ud800'"]}}
    assert kernel.step("a = 0", parameters={"a": 5}).asked == NOTHING_ASKED
    assert kernel.step("a = 0\na").asked["exports"] == {"$return_value": 0}
