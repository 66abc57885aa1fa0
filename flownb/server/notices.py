"""What is worth telling: somebody is waited for, or is waited for still, or an execution has failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flownb.core.failures import failure
from flownb.core.model import Attempt, Execution, Pause, PauseKind
from flownb.core.times import iso
from flownb.core.words import approvals_in_words, in_words, otherwise
from flownb.server.context import Links
from flownb.server.view import approvals_view
from flownb.store.store import Change

REVIEW = "Review, approve or cancel"
OCCASIONS = {"StepFinished": "", "ReminderDue": "Reminder: ", "EscalationDue": "Escalation: "}
"""Events after which people are asked, and what stands before the subject."""


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
    """What is told of a change that is no failure, None where it concerns nobody."""
    after = change.after
    pause = awaited(after)
    if pause is not None and change.event in OCCASIONS:
        return _waits(after, pause, question(after, pause, links), change.event)
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


def failure_notice(change: Change, held: int) -> Notice | None:
    """What is told of a failure, before which so many of the same error were held back."""
    failed = failure(change.before, change.after)
    if failed is None or change.after.step is None:
        return None
    said = f"{failed.ename}: {failed.evalue}" if failed.evalue else failed.ename
    lines = [said, f"Execution {failed.execution}"]
    if held:
        times = "time" if held == 1 else "times"
        lines.append(f"Since the last message it has failed like this {held:,} {times} more.")
    return Notice(change.after.step.attempt, f"{failed.workflow}: failed at step {failed.step!r}", "\n".join(lines))


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
