"""What waits for somebody, with the means to decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

from ipywidgets import HTML, Checkbox, Dropdown, HBox, Layout, VBox

from flownb.client import Client
from flownb.core.errors import InvalidValue
from flownb.core.words import approvals_in_words, in_words
from flownb.widgets.decision import Decision
from flownb.widgets.listing import Listing
from flownb.widgets.markup import classed, link, put, text
from flownb.widgets.times import left, outcome, present
from flownb.widgets.view import View, button

KINDS = {
    "suspend": "Waits for somebody",
    "rerun": "Runs again (rerun)",
    "delay": "Goes on by itself (delay)",
    "retry": "Tries again (retry)",
    "wait": "Waits for the first of several",
    "all": "All pauses",
}


class Inbox(Listing["InboxRow"]):
    """Every pause that waits for somebody, newest first, of the server at ``url`` or of the one this kernel belongs to.

    ``workflow`` and ``kind`` ("suspend", "rerun", "delay", "retry", "wait" or "all"; "suspend" unless given) filter
    at first, ``name`` is who decides: the login name unless given. Shows errors where it stands; raises
    ``InvalidValue`` for a kind that is none.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        workflow: str | None = None,
        kind: str | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(url, token, name, workflow)
        if kind is not None and kind not in KINDS:
            raise InvalidValue(f"kind is one of {', '.join(KINDS)}, got {kind!r}")
        self.add_class("flownb-inbox")
        options = [(label, value) for value, label in KINDS.items()]
        self.kind = classed(Dropdown(description="Kind", options=options, value=kind or "suspend"), "kind")
        self.filtered_by(self.kind)
        self.all = classed(Checkbox(description="Select all", indent=False, layout=Layout(width="auto")), "all")
        self.all.observe(self._select_all, "value")
        self.approve = button("Approve selected", "approve-selected", "Approve all that are selected", disabled=True)
        self.cancel = button("Cancel selected", "cancel-selected", "Cancel all that are selected", disabled=True)
        self.approve.on_click(lambda clicked: self.act(lambda client: self._decide(client, "resume")))
        self.cancel.on_click(lambda clicked: self.act(lambda client: self._decide(client, "cancel")))
        self.many = classed(HBox([self.all, self.approve, self.cancel], layout=Layout(display="none")), "bar")
        self.start(
            classed(HBox([self.refresh_button, self.name]), "bar"),
            classed(HBox([self.workflow, self.kind, self.search]), "bar"),
            self.status,
            self.message,
            self.many,
            self.rows,
            self.pages,
        )

    def make(self, entry: Mapping[str, Any]) -> InboxRow:
        row = InboxRow(self, entry)
        row.selected.observe(lambda change: self._count(), "value")
        return row

    def asked(self) -> dict[str, str | None]:
        return {"status": "suspended", "kind": None if self.kind.value == "all" else self.kind.value}

    def key(self, execution: Mapping[str, Any]) -> str:
        waiting = execution["waiting"]
        return f"{execution['id']} {waiting['step']} {waiting['runs']} {waiting['attempt']} {waiting['since']}"

    def show(self, client: Client) -> None:
        super().show(client)
        self._count()

    def told(self, client: Client, count: int) -> str:
        if count == 0 and self.filtered:
            return "Nothing waits that fits the filters."
        if count == 0:
            return "Nothing waits." if self.kind.value == "all" else "Nothing waits of this kind; there may be others."
        return f"{count} waiting." if self.only_page else f"{count} waiting on this page, and more."

    @property
    def counting(self) -> bool:
        return bool(self.rows.shown) or super().counting

    def tick(self) -> None:
        super().tick()
        with self._lock:
            for row in self.rows.shown.values():
                row.tick()

    def _selected(self) -> list[InboxRow]:
        return [row for row in self.rows.shown.values() if row.selected.value and row.decision.may]

    def _select_all(self, change: Mapping[str, Any]) -> None:
        with self._lock:
            for row in self.rows.shown.values():
                row.selected.value = change["new"]

    def _count(self) -> None:
        count = len(self._selected())
        for act, word in ((self.approve, "Approve"), (self.cancel, "Cancel")):
            act.description = f"{word} selected ({count})" if count else f"{word} selected"
            act.disabled = count == 0
        may = any(row.decision.may for row in self.rows.shown.values())
        self.many.layout.display = None if may else "none"

    def _decide(self, client: Client, action: Literal["resume", "cancel"]) -> str:
        with self._lock:
            selected = self._selected()
        alone = [row for row in selected if row.decision.form or row.decision.choose]
        chosen = [row for row in selected if action == "cancel" or row not in alone]
        skipped = len(selected) - len(chosen)
        answers = client.decide_many(action, [row.decision.meant for row in chosen], **self.signed()) if chosen else []
        now = present()
        counts = Counter(outcome(answer, now) for answer in answers)
        said = [f"{count} {words}" for words, count in counts.most_common()]
        if skipped:
            said.append(f"{skipped} skipped, since there is a form to fill in or something to choose")
        self.all.value = False
        return f"{'; '.join(said)}." if said else "Nothing is selected."


class InboxRow:
    """One pause."""

    def __init__(self, inbox: Inbox, execution: Mapping[str, Any]) -> None:
        self._inbox = inbox
        self._waiting = execution["waiting"]
        called = f"{execution['workflow']} ({execution['id']}), step {self._waiting['step']}"
        selected = Checkbox(description=f"Select {called}", indent=False, layout=Layout(width="1.6em"))
        self.selected = classed(selected, "heard")  # it stands before what it selects
        self.decision = Decision(inbox, execution)
        self.what = classed(HTML(), "what")
        self.left = classed(HTML(), "left")
        line = classed(HBox([self.selected, self.what, self.left, self.decision.buttons]), "line")
        self.box = classed(VBox([line, self.decision.fields]), "row")
        self.selected.layout.visibility = None if self.decision.may else "hidden"

    def show(self, entry: Mapping[str, Any]) -> None:
        self._waiting = entry["waiting"]
        put(self.what, about(self._inbox, entry))
        self.tick()

    def tick(self) -> None:
        """Count."""
        put(self.left, text(left(self._waiting, present())))


def about(view: View, execution: Mapping[str, Any]) -> str:
    """A pause in words: what it is of, since when, what happens if nobody acts; links to look closer."""
    waiting = execution["waiting"]
    head = (
        text(execution["workflow"], "name", tag="b")
        + text(f" · step {waiting['step']} · ", tag="span")
        + text(execution["id"], tag="code")
    )
    links = []
    if notebook := execution["executed_notebook"]:
        links.append(link("Executed notebook", view.in_lab(notebook)))
    if waiting["review_url"]:
        links.append(link("Review page", waiting["review_url"]))
    form = "Asks for data in a form. " if waiting["form"] is not None else ""
    return "".join(
        [
            f"<div>{' · '.join([head, *links])}</div>",
            text(waiting["reason"], "reason") if waiting["reason"] else "",
            text(f"It {approvals_in_words(waiting['approvals'])}.", "dim") if waiting["approvals"] else "",
            text(f"{form}Since {in_words(waiting['since'])}. {waiting['otherwise']}", "dim"),
        ]
    )
