"""What is worth telling of a change: somebody is waited for, or is waited for still, or an execution has failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flownb.core.model import Attempt, Error, Execution, Pause, PauseKind, Status
from flownb.core.times import iso
from flownb.core.words import approvals_in_words, in_words, otherwise
from flownb.server.context import Links
from flownb.server.view import approvals_view
from flownb.store.store import Change

REVIEW = "Review, approve or cancel"
OCCASIONS = {"StepFinished": "", "ReminderDue": "Reminder: ", "EscalationDue": "Escalation: "}
"""Events after which people are asked, and what stands before the subject."""

LONGEST_LINE = 300
"""Characters of an error's first line that are quoted."""


@dataclass(frozen=True)
class Notice:
    """A notification: ``of`` is the attempt that it is about."""

    of: Attempt
    subject: str
    text: str


@dataclass(frozen=True)
class Question:
    """What somebody is to decide, and where."""

    otherwise: str
    review_url: str

    def __str__(self) -> str:
        return f"{self.otherwise}\n{REVIEW}: {self.review_url}"


def notice(change: Change, links: Links) -> Notice | None:
    """What is told of a change, None where it concerns nobody."""
    after = change.after
    pause = awaited(after)
    if pause is not None and change.event in OCCASIONS:
        return _waits(after, pause, question(after, pause, links), change.event)
    if after.status is Status.FAILED and after.error is not None and after.step is not None:
        return _failed(after, after.error, after.step.attempt)
    return None


def to_approvers(change: Change, links: Links) -> Iterator[tuple[str, Notice]]:
    """What each approver is told who is known by a mail address, with the link of their own."""
    after = change.after
    pause = awaited(after)
    if pause is None or pause.approvals is None or change.event not in OCCASIONS:
        return
    escalates = change.event == "EscalationDue"
    people = pause.approvals.escalate_to if escalates else pause.approvals.silent
    for person in people:
        if "@" in person:
            yield person, _waits(after, pause, question(after, pause, links, person), change.event)


def awaited(execution: Execution) -> Pause | None:
    """The pause in which an execution waits for somebody."""
    pause = execution.pause
    if pause is None or not pause.live:
        return None
    return pause if pause.kind is PauseKind.SUSPEND or pause.choices else None


def question(execution: Execution, pause: Pause, links: Links, approver: str | None = None) -> Question:
    said = otherwise(pause.kind, pause.on_timeout, iso(pause.wakes_at))
    made = links.of(execution.id, pause.of) if approver is None else links.branch(execution.id, pause.of, approver)
    return Question(said, made["review_url"])


def _waits(execution: Execution, pause: Pause, asked: Question, occasion: str) -> Notice:
    subject = f"{OCCASIONS[occasion]}{execution.workflow}: step {pause.of.step!r} waits for an answer"
    lines = [pause.reason] if pause.reason else []
    if pause.approvals is not None:
        lines.append(f"It {approvals_in_words(approvals_view(pause.approvals))}.")
    if occasion != "StepFinished":
        lines.append(f"It has waited since {in_words(iso(pause.since) or '')}.")
    return Notice(pause.of, subject, "\n".join([*lines, str(asked), f"Execution {execution.id}"]))


def _failed(execution: Execution, error: Error, of: Attempt) -> Notice:
    said = f"{error.ename}: {error.evalue}".splitlines()[0][:LONGEST_LINE]
    return Notice(of, f"{execution.workflow}: failed at step {of.step!r}", f"{said}\nExecution {execution.id}")
