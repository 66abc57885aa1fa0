"""The small pages that a link shows in a browser. No script; a policy that forbids any."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any

from flownb.core.model import Action, EndedBy, Execution, Json, Pause, Signature, Status
from flownb.core.times import iso
from flownb.core.transitions import Answer
from flownb.core.words import in_words, otherwise
from flownb.server.templating import environment

TITLES = {
    "resumed": ("Approved", "The workflow goes on. You can close this page."),
    "cancelled": ("Cancelled", "The workflow will not go on. You can close this page."),
    "accepted": ("Accepted", "The step is still running: the decision takes effect when it ends."),
    "already_resumed": ("Already approved", "This was decided before; nothing was changed now."),
    "already_cancelled": ("Already cancelled", "This was decided before; nothing was changed now."),
    "approved": ("Approved", "Your approval is on record. It takes others too before the workflow goes on."),
    "already_approved": ("Already approved", "You have approved this before; nothing was changed now."),
    "not_approver": ("Not for you to decide", "The workflow asks certain people. Use your own link, or log in."),
    "not_self": ("Not for you to decide", "Whoever started the workflow is not to approve it."),
    "which_required": ("Which one?", "This waits for one of several things: say which, as `which`, or use its link."),
    "postponed": ("Put off", "There is more time to decide."),
    "no_deadline": ("Not put off", "This wait ends by itself: there is no deadline to put off."),
    "expired": ("Too late", "This pause has ended without a decision, or never came about."),
    "moved": ("Moved", "This execution goes on elsewhere."),
    "not_suspended": ("Not waiting", "The execution runs and has not asked for a pause: there is nothing to resume."),
    "not_found": ("Unknown link", "This link is not known here. Was it copied whole?"),
    "invalid": ("Not accepted", "The data does not fit what the workflow asks for. The pause stays as it is."),
    "confirm_required": ("Please confirm", "This link wants a confirmation: open its page in a browser, or use POST."),
    "error": ("Not accepted", "The request could not be read. Nothing was changed."),
    "unavailable": ("Out of order", "The workflow server cannot take this now. Please try again later."),
}
"""Heading and text for each answer of the contract's table."""

DECISIONS = {Action.RESUME: "Approved", Action.CANCEL: "Cancelled"}
VIA = {"link": "by a link", "page": "on this page", "api": "through the API", "console": "in the console"}
POLICY = "; ".join(
    [
        "sandbox allow-forms",
        "default-src 'none'",
        "img-src data:",
        "style-src 'nonce-{}'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
)


@dataclass(frozen=True)
class Page:
    """Markup, and the policy that goes with it as ``Content-Security-Policy``."""

    html: str
    policy: str


@dataclass(frozen=True)
class Told:
    """An answer in words, for a page and for JSON alike; ``message`` and ``title`` in place of the usual ones."""

    code: int
    status: str
    at: int | None = None
    message: str = ""
    reason: str | None = None
    errors: dict[str, str] = field(default_factory=dict)
    by: str | None = None
    title: str = ""
    missing: int | None = None
    to: str | None = None

    @property
    def words(self) -> str:
        return self.message or TITLES[self.status][1]

    @property
    def heading(self) -> str:
        return self.title or TITLES[self.status][0]

    def json(self, execution: Execution | None) -> dict[str, Json]:
        said: dict[str, Json] = {"status": self.status, "message": self.words}
        if execution is not None:
            said["execution"] = execution.id
        if self.at is not None:
            said["at"] = iso(self.at)
        if self.by is not None:
            said["by"] = self.by
        if self.missing is not None:
            said["needed"] = self.missing
        if self.to is not None:
            said["to"] = self.to
        if self.code >= 400:
            said["reason"] = self.reason or self.status
        if self.errors:
            said["errors"] = self.errors
        return said


def told(answer: Answer) -> Told:
    """What the rules answer, in words."""
    message = "The execution is over: there is nothing to resume or cancel." if answer.reason == "final" else ""
    if answer.by is not None and answer.at is not None and answer.status in ("already_resumed", "already_cancelled"):
        message = f"{TITLES[answer.status][0]} by {answer.by}, {_when(answer.at)}; nothing was changed now."
    if answer.to is not None:
        message = f"This execution goes on elsewhere: {answer.to}. Ask for a new link there."
    said = (answer.code, answer.status, answer.at, message, answer.reason, answer.errors, answer.by)
    return Told(*said, missing=answer.missing, to=answer.to)


class Pages:
    """Renders pages."""

    def __init__(self) -> None:
        self._templates = environment()

    def answer(self, told: Told, execution: Execution | None) -> Page:
        """What came of a request."""
        facts: list[tuple[str, str]] = []
        if execution is not None:
            facts += [("Workflow", execution.workflow), ("Execution", execution.id)]
        if told.at is not None and not told.message:
            facts.append(("Decided" if told.by is None else f"Decided by {told.by}", _when(told.at)))
        if execution is not None:
            facts.append(("Now", standing(execution)))
        return self.render("answer.html", title=told.heading, message=told.words, facts=facts, errors=told.errors)

    def ended(self, execution: Execution, pause: Pause | None) -> Page:
        """What came of a pause that nobody can decide on any more, and how its execution stands."""
        title, message = _outcome(pause)
        facts = [("Workflow", execution.workflow), *_decided(pause), ("Now", standing(execution))]
        facts.append(("Execution", execution.id))
        return self.render("answer.html", title=title, message=message, facts=facts, errors={})

    def render(self, template: str, **values: Any) -> Page:
        nonce = token_urlsafe(12)
        return Page(self._templates.get_template(template).render(nonce=nonce, **values), POLICY.format(nonce))


def standing(execution: Execution) -> str:
    """How an execution stands, as a sentence."""
    step = f"step “{execution.step.name}”" if execution.step else "its end"
    if execution.status is Status.QUEUED:
        return f"The workflow goes on as soon as there is room, with {step}."
    if execution.status is Status.RUNNING:
        return f"The workflow runs: it is at {step}."
    if execution.status is Status.SUSPENDED and execution.pause is not None:
        pause = execution.pause
        return f"The workflow waits at {step}. {otherwise(pause.kind, pause.on_timeout, iso(pause.wakes_at))}"
    when = f" on {_when(execution.finished_at)}" if execution.finished_at is not None else ""
    if execution.status is Status.FAILED:
        return f"The workflow failed{when}, at {step}."
    return f"The workflow {'finished' if execution.status is Status.SUCCEEDED else 'was cancelled'}{when}."


def _outcome(pause: Pause | None) -> tuple[str, str]:
    if pause is None:
        return TITLES["expired"]
    if pause.decision is not None and pause.ended_by is None:
        return DECISIONS[pause.decision.action], TITLES["accepted"][1]
    if pause.alternatives and pause.decision is not None and pause.decision.which is not None and pause.ended_by:
        return "It has gone on", f"Of what was waited for, “{pause.decision.which}” came first."
    if pause.decision is not None and pause.ended_by is not EndedBy.VOID:
        return DECISIONS[pause.decision.action], TITLES[("cancelled", "resumed")[pause.decision.action == "resume"]][1]
    if pause.decision is not None:
        return "Without effect", "The step ended without a pause, so that there was nothing to decide."
    if pause.ended_by is EndedBy.TIMER:
        return "Nobody decided in time", "The wait ended by itself."
    return TITLES["expired"]


def _decided(pause: Pause | None) -> Iterator[tuple[str, str]]:
    """Who decided what, when, and what they said with it."""
    if pause is None:
        return
    yield "Step", pause.of.step
    if pause.decision is not None:
        yield f"{DECISIONS[pause.decision.action]} by", _whom(pause.decision.signature)
        yield "On", _when(pause.decision.at)
        if pause.decision.signature.comment:
            yield "Comment", pause.decision.signature.comment
    elif pause.ended_at is not None:
        yield "Ended", _when(pause.ended_at)


def _whom(signature: Signature) -> str:
    return f"{signature.name or 'somebody who gave no name'}, {VIA.get(signature.via, signature.via)}"


def _when(at: int) -> str:
    return in_words(iso(at) or "")
