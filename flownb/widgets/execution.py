"""One execution: its steps, what it waits for, and the means to act on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipywidgets import HTML, HBox, Layout, Output, VBox

from flownb.client import Client
from flownb.client.http import FINAL
from flownb.widgets.decision import Decision
from flownb.widgets.history import head, pauses
from flownb.widgets.inbox import about
from flownb.widgets.live import Changed
from flownb.widgets.markup import classed, discard, link, put, text
from flownb.widgets.outputs import error
from flownb.widgets.rows import Rows
from flownb.widgets.timeline import StepRow, took
from flownb.widgets.times import left, outcome, present
from flownb.widgets.view import View, button

LOOKS = 2
"""Ticks between two looks at the outputs of a running step."""


class ExecutionView(View):
    """The execution of that id, live: timeline, outputs, decision, Open, Replay and Cancel.

    ``url`` and ``token`` as for the inbox; ``name`` is who decides. Shows errors where it stands and raises none.
    """

    def __init__(
        self, execution_id: str, url: str | None = None, token: str | None = None, *, name: str | None = None
    ) -> None:
        super().__init__(url, token, name)
        self.add_class("flownb-execution")
        self.execution_id = execution_id
        self._found: dict[str, Any] | None = None
        self._ticks = 0
        self._longest = 0
        self._pause: str | None = None
        self.decision: Decision | None = None
        self.head = HTML()
        self.open_button = button("Open", "open", "A live notebook with its variables")
        self.open_button.on_click(lambda clicked: self._open())
        self.cancel_button = button("Cancel", "cancel-running", "Cancel this execution", button_style="danger")
        self.cancel_button.on_click(lambda clicked: self.act(self._cancel))
        self.opened = HTML()
        self.waits = HTML()
        self.left = HTML()
        self.deciding = classed(VBox(layout=Layout(display="none")), "deciding")
        self.error = Output()
        self.rows: Rows[StepRow] = Rows(self._row)
        self.pauses = HTML()
        for wants_one in (self.open_button, self.cancel_button):
            wants_one.layout.display = "none"
        self.acting = classed(HBox([self.refresh_button, self.open_button, self.cancel_button, self.name]), "bar")
        self.start(
            self.status,
            self.head,
            self.acting,
            self.message,
            self.opened,
            self.deciding,
            self.error,
            self.rows,
            self.pauses,
        )

    def show(self, client: Client) -> None:
        found = client.execution(self.execution_id)
        self._found = found
        put(self.status, "")
        put(self.head, head(found, self.in_lab))
        self.open_button.layout.display = None
        self.cancel_button.layout.display = None if _goes_on(found) else "none"
        self._show_pause(found)
        self._longest = max((took(step) for step in found["steps"]), default=0)
        for row in self.rows.shown.values():
            row.longest = self._longest
        self.rows.update({step["name"]: step for step in found["steps"]})
        raised = (error(found["error"]),) if found["error"] else ()
        if self.error.outputs != raised:
            self.error.outputs = raised
        put(self.pauses, pauses(found["pauses"]))
        self._show_outputs(client)

    def concerns(self, changed: Changed) -> bool:
        return changed is None or self.execution_id in changed

    @property
    def counting(self) -> bool:
        return super().counting or (self._found is not None and self._found["status"] not in FINAL)

    def tick(self) -> None:
        super().tick()
        with self._lock:
            if self._found is None or self._found["status"] in FINAL:
                return
            if self._found["waiting"]:
                put(self.left, text(left(self._found["waiting"], present())))
            for row in self.rows.shown.values():
                row.tick()
            self._ticks += 1
            if self._found["status"] == "running" and self._ticks % LOOKS == 0:
                self._guarded(self._show_outputs)

    def _row(self, step: Mapping[str, Any]) -> StepRow:
        return StepRow(step, self._looked, self._replay, self._longest)

    def _show_pause(self, found: Mapping[str, Any]) -> None:
        waiting = found["waiting"]
        pause = f"{waiting['step']} {waiting['runs']} {waiting['attempt']} {waiting['since']}" if waiting else None
        if pause != self._pause:
            before, self._pause = self.decision, pause
            self.decision = Decision(self, found, opened=True) if waiting else None
            made = [self.decision.fields, self.decision.buttons] if self.decision else []
            self.deciding.children = [self.waits, self.left, *made]
            self.deciding.layout.display = None if waiting else "none"
            if before is not None:
                discard(before.fields)
                discard(before.buttons)
        if waiting:
            put(self.waits, about(self, found))
            put(self.left, text(left(waiting, present())))

    def _looked(self) -> None:
        with self._lock:
            self._guarded(self._show_outputs)

    def _show_outputs(self, client: Client) -> None:
        wanted = [row for row in self.rows.shown.values() if row.opened.value]
        for row in self.rows.shown.values():
            if not row.opened.value:
                row.output.layout.display = "none"
        if not wanted:
            return
        cells = {cell["id"]: cell for cell in client.notebook(self.execution_id)["cells"]}
        for row in wanted:
            row.show_outputs(cells[row.cell_id]["outputs"] if row.cell_id in cells else [])

    def _open(self) -> None:
        with self._lock:
            if self.open_button.disabled:
                return
            self.open_button.disabled = True
            self.say("Opening: that takes as long as its variables do.")
        try:
            self.act(self._opened)
        finally:  # also where somebody interrupts the kernel that waits
            self.open_button.disabled = False

    def _opened(self, client: Client) -> str:
        path = client.open(self.execution_id)["path"]
        put(self.opened, f"<div>{link(path, self.in_lab(path))}</div>")
        return "Open, with its variables:"

    def _cancel(self, client: Client) -> str:
        return outcome(client.cancel(self.execution_id, **self.signed()), present())

    def _replay(self, step: str) -> None:
        def replayed(client: Client) -> str:
            new = client.replay(self.execution_id, step)
            return f'Replays from step {step} as execution {new["id"]}: flownb.ExecutionView("{new["id"]}")'

        self.act(replayed)


def _goes_on(found: Mapping[str, Any]) -> bool:
    """Whether it is under way without anybody's decision; a step that is tried again asks for none."""
    waiting = found["waiting"]
    return found["status"] not in FINAL and (waiting is None or waiting["kind"] == "retry")
