"""Rows that are kept for as long as what they stand for is shown, so that nobody loses what they type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from ipywidgets import VBox

from flownb.widgets.markup import classed, discard

MOST_HIDDEN = 40


class Row(Protocol):
    """One row: a widget of its own."""

    box: Any

    def show(self, entry: Mapping[str, Any]) -> None:
        """What is known now."""


OneRow = TypeVar("OneRow", bound=Row)


class Rows(VBox, Generic[OneRow]):  # type: ignore[misc]  # ipywidgets has no types
    """One row a key.

    Front ends make all views after the first changed child anew, which takes the focus from who types there. So new
    rows go to the end, those that are over are hidden, and the order is the style sheet's, until the page is turned.
    A row that newer ones have pushed to the next page comes back as it was.
    """

    def __init__(self, make: Callable[[Mapping[str, Any]], OneRow]) -> None:
        self._make = make
        self.shown: dict[str, OneRow] = {}
        self._hidden: dict[str, OneRow] = {}
        super().__init__()
        classed(self, "rows")

    def update(self, entries: Mapping[str, Mapping[str, Any]], *, anew: bool = False) -> None:
        """Show these entries in their order; with ``anew``, by rows in that order."""
        known = self._hidden | self.shown
        shown = {key: known.get(key) or self._make(entry) for key, entry in entries.items()}
        for place, (key, row) in enumerate(shown.items()):
            row.show(entries[key])
            row.box.layout.order = str(place)
            row.box.layout.display = None
        self._hidden = {key: row for key, row in known.items() if key not in shown}
        for row in self._hidden.values():
            row.box.layout.display = "none"
        if anew or len(self._hidden) > MOST_HIDDEN:
            self.children = [row.box for row in shown.values()]
            for row in self._hidden.values():
                discard(row.box)
            self._hidden = {}
        elif new := [row.box for key, row in shown.items() if key not in known]:
            self.children = [*self.children, *new]
        self.shown = shown  # in one piece: other threads look at it at any time
