"""The buttons and fields to decide one pause."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any, Literal

from ipywidgets import Dropdown, HBox, Text, ToggleButton, VBox

from flownb.client import ApiError, Client
from flownb.core.model import Json
from flownb.widgets.form import Form
from flownb.widgets.markup import classed
from flownb.widgets.times import outcome, present
from flownb.widgets.view import View, button

LATER = [("1 hour", "1h"), ("1 day", "1d"), ("1 week", "7d")]
WANTED = "This asks for data: fill in the form, then approve."
PEOPLES = ("request", "form")
"""Kinds of alternatives of a wait that people decide for."""

TOOLTIPS = {"suspend": "Let the workflow continue", "rerun": "Run the step again now", "delay": "Continue now"}


class Decision:
    """Decides the pause that ``execution`` waits in when this is made, and no later one, whoever clicks when.

    ``buttons`` and ``fields`` are for the view to place; the fields are made when they are first wanted. Several
    clicks at once are sent one after the other: the server decides which one counts.
    """

    def __init__(self, view: View, execution: Mapping[str, Any], *, opened: bool = False) -> None:
        self._view = view
        self._id: str = execution["id"]
        self._waiting = execution["waiting"]
        self._called = f"{execution['workflow']} ({self._id})"
        self._deciding = threading.Lock()
        self._decided: set[str] = set()
        self._choices = {one["name"]: one for one in self._waiting["alternatives"] if one["kind"] in PEOPLES}
        self._which = self._chooser() if len(self._choices) > 1 else None
        self._form: Form | None = None
        self._data: Text | None = None
        self._comment: Text | None = None
        step = f"step {self._waiting['step']} of {self._called}"
        act = TOOLTIPS.get(self._waiting["kind"], "Continue now")
        self.approve = button("Approve", "approve", f"{act}: {step}", button_style="success")
        self.cancel = button("Cancel", "cancel", f"Cancel the workflow: {step}", button_style="danger")
        self.more = classed(ToggleButton(value=opened, description="Details", tooltip=f"Data, comment: {step}"), "more")
        self.more.layout.width = "auto"
        self.more.layout.display = "none" if opened else None
        self.approve.on_click(lambda clicked: self._decide("resume"))
        self.cancel.on_click(lambda clicked: self._decide("cancel"))
        self.more.observe(lambda change: self.open(change["new"]), "value")
        chooser = [self._which] if self._which is not None else []
        self.buttons = classed(HBox([*chooser, self.approve, self.cancel, self.more]), "bar")
        self.fields = classed(VBox(), "fields")
        self.open(opened)

    @property
    def may(self) -> bool:
        """Whether this server shows the means to decide to who asks it; it decides again when it is asked to."""
        return self._waiting["resume_url"] is not None

    def open(self, wanted: bool = True) -> None:
        """Show or hide the fields."""
        with self._deciding:
            if wanted and not self.fields.children:
                self.fields.children = self._made()
        self.fields.layout.display = None if wanted and self.may else "none"
        self.buttons.layout.display = None if self.may else "none"
        self.more.value = wanted

    @property
    def form(self) -> bool:
        """Whether there is a form to fill in."""
        return self._schema is not None

    @property
    def _schema(self) -> Json:
        return self._waiting["form"] if self._which is None else self._choices[self._which.value]["form"]

    @property
    def choose(self) -> bool:
        """Whether there are several things to approve, of which one is to be named."""
        return self._which is not None

    def _chooser(self) -> Dropdown:
        options = [
            (f"{one['name']}: {one['reason']}" if one["reason"] else one["name"], one["name"])
            for one in self._choices.values()
        ]
        chooser = classed(Dropdown(options=options, description="What to approve"), "heard")
        chooser.observe(lambda change: self._chosen(), "value")
        return chooser

    def _chosen(self) -> None:
        """The fields are those of what was chosen."""
        with self._deciding:
            self._form = self._data = None
            self.fields.children = ()
        self.open(self.more.value)

    @property
    def meant(self) -> dict[str, str]:
        """The pause, for decisions on many."""
        return {"id": self._id, "pause": self._waiting["pause"]}

    def _made(self) -> list[Any]:
        self._comment = classed(Text(description="Comment, for the record"), "field", "comment")
        if self.form:
            self._form = Form(self._schema)
            return [self._form, self._comment, *self._postponing()]
        self._data = classed(
            Text(description="Data for the workflow, as JSON or text", placeholder="none"), "field", "data"
        )
        return [self._data, self._comment, *self._postponing()]

    def _postponing(self) -> list[HBox]:
        if self._waiting["kind"] != "suspend":
            return []
        later = classed(Dropdown(options=LATER, value="1d", description="How much later"), "heard")
        later.layout.width = "8em"
        put_off = button(
            "Postpone", "postpone", f"Put the deadline off: step {self._waiting['step']} of {self._called}"
        )
        put_off.on_click(lambda clicked: self._view.act(lambda client: self._postpone(client, later.value)))
        return [classed(HBox([put_off, later]), "bar")]

    def _postpone(self, client: Client, later: str) -> str:
        said = _answer(lambda: client.postpone(self._id, later, **self._signed()))
        return f"{self._called}: {outcome(said, present())}"

    def _decide(self, action: Literal["resume", "cancel"]) -> None:
        if action == "resume" and self.form and not self.more.value:
            self.open()
            self._view.say(f"{self._called}: {WANTED}")
            return
        with self._deciding:
            if action not in self._decided:  # else the same button was clicked twice
                self._view.act(lambda client: self._sent(client, action))

    def _sent(self, client: Client, action: Literal["resume", "cancel"]) -> str:
        if action == "cancel":
            said = _answer(lambda: client.cancel(self._id, **self._signed()))
        else:
            data, errors = self._filled()
            if not errors:
                said = _answer(lambda: client.resume(self._id, data, **self._named(), **self._signed()))
                errors = said.get("errors", {})
            else:
                said = {"status": "invalid"}
            if self._form is not None:
                self._form.complain(errors)
        if said["status"] != "invalid":
            self._decided.add(action)
        return f"{self._called}: {outcome(said, present())}"

    def _filled(self) -> tuple[Json, dict[str, str]]:
        if self._form is not None:
            return self._form.data()
        return (read(self._data.value) if self._data is not None else None), {}

    def _named(self) -> dict[str, str]:
        return {"which": self._which.value} if self._which is not None else {}

    def _signed(self) -> dict[str, str | None]:
        comment = self._comment.value.strip() or None if self._comment is not None else None
        return {"pause": self._waiting["pause"], "comment": comment, **self._view.signed()}


def read(typed: str) -> Json:
    """JSON, else the text itself; nothing is None."""
    if not typed.strip():
        return None
    try:
        found: Json = json.loads(typed)
    except ValueError:
        return typed
    return found


def _answer(call: Any) -> dict[str, Any]:
    """What the server says, be it a refusal of the table of answers."""
    try:
        found: dict[str, Any] = call()
    except ApiError as error:
        if "status" not in error.said:
            raise
        return error.said
    return found
