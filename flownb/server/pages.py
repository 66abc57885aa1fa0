"""The small pages that a link shows in a browser. No script; a policy that forbids any."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_urlsafe

import jinja2

from flownb.core.model import Action, Execution, Json, Pause, PauseKind
from flownb.core.times import iso
from flownb.core.transitions import Answer

TITLES = {
    "resumed": ("Resumed", "The workflow goes on. You can close this page."),
    "cancelled": ("Cancelled", "The workflow will not go on. You can close this page."),
    "accepted": ("Accepted", "The step is still running: the decision takes effect when it ends."),
    "already_resumed": ("Already resumed", "Somebody has resumed this workflow before; nothing was changed now."),
    "already_cancelled": ("Already cancelled", "Somebody has cancelled this workflow before; nothing was changed now."),
    "expired": ("Too late", "This pause has ended without a decision, or never came about."),
    "not_suspended": ("Not waiting", "The execution runs and has not asked for a pause: there is nothing to resume."),
    "not_found": ("Unknown link", "This link is not known here. Was it copied whole?"),
    "invalid": ("Not accepted", "The data does not fit what the workflow asks for. The pause stays as it is."),
    "confirm_required": ("Please confirm", "This link wants a confirmation: open its page in a browser, or use POST."),
    "error": ("Not accepted", "The request could not be read. The pause stays as it is."),
    "unavailable": ("Out of order", "The workflow server cannot take this now. Please try again later."),
}
"""Heading and text for each answer of the contract's table."""


@dataclass(frozen=True)
class Page:
    """Markup and the nonce of its one style element."""

    html: str
    nonce: str


@dataclass(frozen=True)
class Told:
    """An answer in words, for a page and for JSON alike."""

    code: int
    status: str
    at: int | None = None
    message: str = ""
    reason: str | None = None
    errors: dict[str, str] = field(default_factory=dict)

    def json(self, execution: Execution | None) -> dict[str, Json]:
        said: dict[str, Json] = {"status": self.status, "message": self.message or TITLES[self.status][1]}
        if execution is not None:
            said["execution"] = execution.id
        if self.at is not None:
            said["at"] = iso(self.at)
        if self.code >= 400:
            said["reason"] = self.reason or self.status
        if self.errors:
            said["errors"] = self.errors
        return said


def told(answer: Answer) -> Told:
    """What the rules answer, in words."""
    message = "The execution is over: there is nothing to resume or cancel." if answer.reason == "final" else ""
    return Told(answer.code, answer.status, answer.at, message, answer.reason, answer.errors)


class Pages:
    """Renders pages."""

    def __init__(self) -> None:
        loader = jinja2.PackageLoader("flownb.server")
        self._templates = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
        self._templates.filters["words"] = in_words

    def answer(self, told: Told, execution: Execution | None) -> Page:
        """What came of a request."""
        title, message = TITLES[told.status]
        return self._render(
            "answer.html",
            title=title,
            message=told.message or message,
            workflow=execution.workflow if execution else None,
            execution=execution.id if execution else None,
            at=iso(told.at),
            errors=told.errors,
        )

    def review(self, execution: Execution, pause: Pause | None, urls: dict[Action, str]) -> Page:
        """A pause that waits, or will when its step has ended, with the two buttons."""
        step = pause.of.step if pause else (execution.step.name if execution.step else "")
        return self._render(
            "review.html",
            workflow=execution.workflow,
            execution=execution.id,
            step=step,
            reason=pause.reason if pause else None,
            since=iso(pause.since) if pause else None,
            otherwise=otherwise(pause),
            needs_data=pause is not None and pause.form is not None,
            resume=urls[Action.RESUME],
            cancel=urls[Action.CANCEL],
        )

    def _render(self, template: str, **values: Json) -> Page:
        nonce = token_urlsafe(12)
        return Page(self._templates.get_template(template).render(nonce=nonce, **values), nonce)


def otherwise(pause: Pause | None) -> str:
    """What happens if nobody decides, and when."""
    if pause is None or not pause.live:
        return "The step is still running; it pauses when it ends."
    when = in_words(iso(pause.wakes_at) or "")
    if pause.kind is PauseKind.RERUN:
        return f"The step runs again by itself on {when}."
    outcome = {"resume": "continues by itself", "cancel": "is cancelled", "error": "fails"}[pause.on_timeout]
    return f"The workflow {outcome} on {when}."


def in_words(at: str) -> str:
    """A time of the API as people read it: ``Tue 24 Nov 2026, 14:00:05 UTC``."""
    return datetime.fromisoformat(at).strftime("%a %d %b %Y, %H:%M:%S UTC")
