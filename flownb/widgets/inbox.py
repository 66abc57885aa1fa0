"""A table of what waits for a decision, with buttons to decide."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from html import escape
from typing import Any, Literal

from ipywidgets import HTML, Button, GridBox, HBox, Layout, VBox

from flownb.client import ApiError, Client, NoServer, find
from flownb.client.words import deadline, run_counter
from flownb.core.errors import FlowNBError

HEADINGS = ("Workflow", "Step", "Reason", "Waits for", "", "")
COLUMNS = "minmax(8em, 2fr) minmax(6em, 1fr) minmax(8em, 3fr) minmax(12em, 3fr) 7em 7em"
MOST = 200
"""Rows that are shown; the rest is a word."""

Decision = Literal["resume", "cancel"]


class Inbox(VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Suspended executions of the server at ``url``, or of the one that this kernel belongs to.

    Shows errors where it stands and raises none. Its callbacks may run in any thread.
    """

    def __init__(self, url: str | None = None, token: str | None = None) -> None:
        self._url = url
        self._token = token
        self._lock = threading.Lock()
        self._client: Client | None = None
        self.refresh_button = Button(description="Refresh", icon="refresh")
        self.refresh_button.on_click(lambda button: self.refresh())
        self.message = HTML()
        self.table = GridBox(layout=Layout(grid_template_columns=COLUMNS, grid_gap="2px 12px", align_items="center"))
        super().__init__([HBox([self.refresh_button, self.message]), self.table])
        self.refresh()

    def refresh(self) -> None:
        """Ask the server what waits now."""
        with self._lock:
            self._guarded(self._show)

    def decide(self, execution: Mapping[str, Any], decision: Decision) -> None:
        """Resume or cancel an execution, as it was shown: a pause that came after it is left alone."""
        with self._lock:
            self._guarded(lambda client: self._decide(client, execution, decision))

    def _guarded(self, act: Callable[[Client], None]) -> None:
        try:
            if self._client is None:
                self._client = find(self._url, self._token)
            act(self._client)
        except NoServer as error:
            self._client = None  # another one may be there next time
            hint = "" if self._url else '\nElsewhere than below a Jupyter server: Inbox(url="...", token="...").'
            self._say(f"{error}{hint}", trouble=True)
        except FlowNBError as error:
            self._say(str(error), trouble=True)

    def _show(self, client: Client) -> None:
        found = client.executions(status="suspended", limit=MOST)
        waiting = found["executions"]
        now = datetime.now().astimezone()
        rows = [cell for execution in waiting for cell in self._row(execution, now)]
        before = self.table.children
        self.table.children = [*(HTML(f"<b>{heading}</b>") for heading in HEADINGS), *rows] if rows else []
        for widget in before:
            widget.close()
        count = f"{len(waiting)}{' and more' if found['next'] else ''}"
        self._say(f"{count} waiting" if waiting else "Nothing waits.")

    def _decide(self, client: Client, execution: Mapping[str, Any], decision: Decision) -> None:
        said, trouble = "this pause is over, someone else was faster", True
        try:
            if _same_pause(client.execution(execution["id"])["waiting"], execution["waiting"]):
                act = client.resume if decision == "resume" else client.cancel
                said, trouble = act(execution["id"])["status"].replace("_", " "), False
        except ApiError as error:
            said = str(error)
        self._show(client)
        self._say(f"{execution['workflow']} ({execution['id']}): {said}", trouble=trouble)

    def _row(self, execution: Mapping[str, Any], now: datetime) -> list[HTML | Button]:
        waiting = execution["waiting"]
        what = " · ".join(filter(None, [waiting["kind"], run_counter(waiting), deadline(waiting, now)]))
        texts = (f"{execution['workflow']}\n{execution['id']}", waiting["step"], waiting["reason"] or "", what)
        return [
            *(_text(text) for text in texts),
            self._button("Approve", "success", execution, "resume"),
            self._button("Cancel", "danger", execution, "cancel"),
        ]

    def _button(self, label: str, style: str, execution: Mapping[str, Any], decision: Decision) -> Button:
        button = Button(description=label, button_style=style, layout=Layout(width="auto"))

        def clicked(button: Button) -> None:
            button.disabled = True
            self.decide(execution, decision)

        button.on_click(clicked)
        return button

    def _say(self, text: str, *, trouble: bool = False) -> None:
        colour = "color: var(--jp-error-color1, #b3261e)" if trouble else ""
        self.message.value = f'<span role="status" style="{colour}">{_markup(text)}</span>'


def _same_pause(now: Mapping[str, Any] | None, shown: Mapping[str, Any]) -> bool:
    return now is not None and all(now[key] == shown[key] for key in ("step", "runs", "since"))


def _text(text: str) -> HTML:
    return HTML(_markup(text))


def _markup(text: str) -> str:
    return escape(text).replace("\n", "<br>")
