"""What is worth telling of a change: somebody is waited for, or is waited for still, or an execution has failed."""

from __future__ import annotations

from dataclasses import dataclass

from flownb.core.model import Attempt, Error, Execution, Pause, PauseKind, Status
from flownb.core.times import iso
from flownb.core.words import in_words, otherwise
from flownb.server.context import Links
from flownb.store.store import Change

REVIEW = "Review, approve or cancel"
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
    if pause is not None and change.event in ("StepFinished", "ReminderDue"):
        return _waits(after, pause, question(after, pause, links), reminder=change.event == "ReminderDue")
    if after.status is Status.FAILED and after.error is not None and after.step is not None:
        return _failed(after, after.error, after.step.attempt)
    return None


def awaited(execution: Execution) -> Pause | None:
    """The pause in which an execution waits for somebody."""
    pause = execution.pause
    return pause if pause is not None and pause.live and pause.kind is PauseKind.SUSPEND else None


def question(execution: Execution, pause: Pause, links: Links) -> Question:
    said = otherwise(pause.kind, pause.on_timeout, iso(pause.wakes_at))
    return Question(said, links.of(execution.id, pause.of)["review_url"])


def _waits(execution: Execution, pause: Pause, asked: Question, *, reminder: bool) -> Notice:
    subject = f"{execution.workflow}: step {pause.of.step!r} waits for an answer"
    lines = [pause.reason] if pause.reason else []
    if reminder:
        subject = f"Reminder: {subject}"
        lines.append(f"It has waited since {in_words(iso(pause.since) or '')}.")
    return Notice(pause.of, subject, "\n".join([*lines, str(asked), f"Execution {execution.id}"]))


def _failed(execution: Execution, error: Error, of: Attempt) -> Notice:
    said = f"{error.ename}: {error.evalue}".splitlines()[0][:LONGEST_LINE]
    return Notice(of, f"{execution.workflow}: failed at step {of.step!r}", f"{said}\nExecution {execution.id}")
