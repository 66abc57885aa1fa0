"""Rows by themselves: which are kept, hidden and made anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipywidgets import Text, VBox

from flownb.widgets.rows import MOST_HIDDEN, Rows
from tests.widgets.conftest import hidden


class Typed:
    """A row that somebody types into."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.field = Text()
        self.box = VBox([self.field])

    def show(self, entry: Mapping[str, Any]) -> None:
        pass


def entries(*keys: str) -> dict[str, dict[str, Any]]:
    return {key: {} for key in keys}


def test_a_row_that_was_pushed_off_the_page_comes_back_as_it_was() -> None:
    rows: Rows[Typed] = Rows(Typed)
    rows.update(entries("b", "a"))
    pushed = rows.shown["a"]
    pushed.field.value = "half a sen"
    rows.update(entries("c", "b"))
    assert hidden(pushed.box)
    rows.update(entries("b", "a"))
    assert rows.shown["a"] is pushed
    assert not hidden(pushed.box)
    assert pushed.field.value == "half a sen"
    assert pushed.box in rows.children


def test_a_turned_page_and_too_many_hidden_rows_leave_only_what_is_shown() -> None:
    rows: Rows[Typed] = Rows(Typed)
    rows.update(entries("a"))
    rows.update(entries("b"), anew=True)
    assert list(rows.children) == [rows.shown["b"].box]
    for number in range(MOST_HIDDEN + 1):
        rows.update(entries(str(number)))
    assert list(rows.children) == [rows.shown[str(MOST_HIDDEN)].box]


def test_nobody_sees_a_row_before_it_shows_something() -> None:
    rows: Rows[Typed]
    seen: list[list[str]] = []

    class Looks(Typed):
        def show(self, entry: Mapping[str, Any]) -> None:
            seen.append(list(rows.shown))

    rows = Rows(Looks)
    rows.update(entries("a"))
    assert seen == [[]]
    assert list(rows.shown) == ["a"]
