"""All executions: how many of each status, a table to look through, one of them in full."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipywidgets import HTML, Dropdown, HBox, VBox

from flownb.client import Client
from flownb.core.words import in_words
from flownb.widgets.execution import ExecutionView
from flownb.widgets.listing import Listing
from flownb.widgets.markup import badge, classed, put, text
from flownb.widgets.view import button

STATUSES = ("queued", "running", "suspended", "succeeded", "failed", "cancelled")


class Dashboard(Listing["ExecutionRow"]):
    """Executions of the server at ``url``, or of the one this kernel belongs to. Shows errors and raises none."""

    def __init__(self, url: str | None = None, token: str | None = None) -> None:
        super().__init__(url, token, None, None)
        self.add_class("flownb-dashboard")
        self._where = (url, token)
        options = [("all", ""), *((status, status) for status in STATUSES)]
        self.chosen = classed(Dropdown(description="Status", options=options, value=""), "status")
        self.filtered_by(self.chosen)
        self.counts = HTML()
        self.detail = classed(VBox(), "detail")
        self.start(
            classed(HBox([self.refresh_button, self.counts]), "bar"),
            classed(HBox([self.chosen, self.workflow, self.search]), "bar"),
            self.status,
            self.rows,
            self.pages,
            self.detail,
        )

    def make(self, entry: Mapping[str, Any]) -> ExecutionRow:
        return ExecutionRow(self, entry)

    def asked(self) -> dict[str, str | None]:
        return {"status": self.chosen.value or None}

    def show(self, client: Client) -> None:
        counts = client.health()["executions"]
        put(self.counts, " ".join(badge(status, counts.get(status, 0)) for status in STATUSES))
        super().show(client)

    def told(self, client: Client, count: int) -> str:
        if count:
            return ""
        if self.filtered or self.chosen.value:
            return "There is no execution that fits the filters."
        return "There is no execution yet: start one with `flownb run NOTEBOOK`."

    def show_execution(self, execution_id: str) -> None:
        """Show that execution below, in place of the one before."""
        view = ExecutionView(execution_id, *self._where)
        with self._lock:
            before = self.detail.children
            self.detail.children = [view]
        for one in before:
            one.close()

    def close(self) -> None:
        for view in self.detail.children:
            view.close()
        super().close()


class ExecutionRow:
    """One execution."""

    def __init__(self, dashboard: Dashboard, execution: Mapping[str, Any]) -> None:
        self.what = classed(HTML(), "what")
        name = f"{execution['workflow']} ({execution['id']})"
        self.button = button("Show", "show", f"Show {name} below")
        self.button.on_click(lambda clicked: dashboard.show_execution(execution["id"]))
        self.box = classed(VBox([classed(HBox([self.what, self.button]), "line")]), "row")

    def show(self, entry: Mapping[str, Any]) -> None:
        at = [f"started {in_words(entry['created_at'])}"]
        at += [f"ended {in_words(entry['finished_at'])}"] if entry["finished_at"] else []
        if entry["waiting"]:
            at.append(f"waits in step {entry['waiting']['step']}")
        put(
            self.what,
            f"<div>{text(entry['workflow'], 'name', tag='b')} {text(entry['id'], tag='code')} "
            f"{badge(entry['status'])}</div>{text(' · '.join(at), 'dim')}",
        )
