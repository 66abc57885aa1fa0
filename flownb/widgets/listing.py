"""A list of executions, page by page, with filters: what the inbox and the dashboard share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic

from ipywidgets import HTML, Combobox, HBox, Layout, Text

from flownb.client import Client
from flownb.widgets.markup import classed, put, text
from flownb.widgets.rows import OneRow, Rows
from flownb.widgets.view import View, button

PAGE = 20


class Listing(View, Generic[OneRow]):
    """One page of the executions that fit the filters, newest first."""

    def __init__(self, url: str | None, token: str | None, name: str | None, workflow: str | None) -> None:
        super().__init__(url, token, name)
        self._before: list[str | None] = [None]
        self._anew = True
        self.workflow = classed(Combobox(description="Workflow", value=workflow or "", placeholder="all"), "workflow")
        self.workflow.continuous_update = False
        search = Text(description="Search", placeholder="id, workflow, notebook", continuous_update=False)
        self.search = classed(search, "search")
        self.rows: Rows[OneRow] = Rows(self.make)
        self.newer = button("Newer", "newer", "The page before", icon="chevron-left")
        self.older = button("Older", "older", "The next page", icon="chevron-right")
        self.newer.on_click(lambda clicked: self._turn(-1))
        self.older.on_click(lambda clicked: self._turn(1))
        self.place = HTML()
        self.pages = classed(HBox([self.newer, self.place, self.older], layout=Layout(display="none")), "bar")
        self._next: str | None = None
        for chosen in (self.workflow, self.search):
            self.filtered_by(chosen)

    def make(self, entry: Mapping[str, Any]) -> OneRow:
        """A row for an execution."""
        raise NotImplementedError

    def asked(self) -> dict[str, str | None]:
        """What is asked of the server, besides workflow and search."""
        raise NotImplementedError

    def key(self, execution: Mapping[str, Any]) -> str:
        """What a row stands for."""
        return str(execution["id"])

    def filtered_by(self, chosen: Any) -> None:
        """A change of this widget's value leads to the first page."""
        chosen.observe(lambda change: self._first_page(), "value")

    def show(self, client: Client) -> None:
        filters = {"workflow": self.workflow.value.strip() or None, "search": self.search.value.strip() or None}
        page = client.executions(**self.asked(), **filters, limit=PAGE, before=self._before[-1])
        if not page["executions"] and len(self._before) > 1:  # what was on this page is over
            self._before = [None]
            page = client.executions(**self.asked(), **filters, limit=PAGE)
        found = {self.key(execution): execution for execution in page["executions"]}
        self.rows.update(found, anew=self._anew)
        self._anew = False
        self._next = page["next"]
        self._paged(len(found))
        seen = {*self.workflow.options, *(execution["workflow"] for execution in page["executions"])}
        self.workflow.options = sorted(seen)
        put(self.status, text(self.told(client, len(found)), "dim"))

    def told(self, client: Client, count: int) -> str:
        """How many there are, in words."""
        raise NotImplementedError

    @property
    def only_page(self) -> bool:
        return len(self._before) == 1 and self._next is None

    @property
    def filtered(self) -> bool:
        """Whether somebody has asked for some of them only."""
        return bool(self.workflow.value.strip() or self.search.value.strip())

    def refresh(self) -> None:
        with self._lock:
            self._anew = True
        super().refresh()

    def _first_page(self) -> None:
        with self._lock:
            self._before = [None]
        self.refresh()

    def _turn(self, by: int) -> None:
        with self._lock:
            if by < 0 and len(self._before) > 1:
                self._before.pop()
            elif by > 0 and self._next is not None:
                self._before.append(self._next)
        self.refresh()

    def _paged(self, count: int) -> None:
        self.newer.disabled = len(self._before) == 1
        self.older.disabled = self._next is None
        first = PAGE * (len(self._before) - 1)
        put(self.place, text(f"{first + 1} to {first + count}"))
        self.pages.layout.display = "none" if self.only_page else None
