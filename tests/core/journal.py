"""What happened to an execution, event by event, as a store's journal holds it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from flownb.core.events import (
    Admitted,
    Arrived,
    Continued,
    EscalationDue,
    Event,
    Happened,
    Migrated,
    Moved,
    PauseAsked,
    Postponed,
    Released,
    ReminderDue,
    RequestArrived,
    Responded,
    ServerLost,
    StepFailed,
    StepFinished,
    StepStarted,
    TimerFired,
)
from flownb.core.model import (
    Action,
    Attempt,
    Decision,
    Execution,
    Json,
    Pause,
    PauseKind,
    Status,
    Step,
    StepStatus,
)
from flownb.core.times import iso
from flownb.core.transitions import Outcome


@dataclass(frozen=True)
class Move:
    """An event that was taken: the state that it met, when, and what came of it."""

    before: Execution
    event: Event
    now: int
    outcome: Outcome

    @property
    def after(self) -> Execution:
        return self.outcome.execution

    @property
    def steps(self) -> Iterator[tuple[Step, Step]]:
        if isinstance(self.event, Migrated) and self.before.version != self.after.version:
            begun = self.before.at + 1  # what is to come is another's
            return zip(self.before.steps[:begun], self.after.steps[:begun], strict=True)
        return zip(self.before.steps, self.after.steps, strict=True)


Journal = Sequence[Move]
Key = tuple[Attempt, bool]


def key(pause: Pause) -> Key:
    """Under what a store keeps a pause: an attempt has one with links and, where it failed, one before the next."""
    return pause.of, pause.kind is PauseKind.RETRY


def written(execution: Execution) -> tuple[Pause, ...]:
    """The pauses that a store writes after a move."""
    return (*execution.past, execution.pause) if execution.pause else execution.past


def kept(execution: Execution) -> Execution:
    """The execution as a store reads it again."""
    return replace(execution, past=()) if execution.past else execution


def record(journal: Journal) -> dict[Key, Pause]:
    """All pauses that ever were, as they stand now."""
    return {key(pause): pause for move in journal for pause in written(move.after)}


def request_of(event: Event) -> RequestArrived | None:
    """A request as such, or the one in which a person continues what they had opened."""
    if isinstance(event, Continued):
        return RequestArrived(Action.RESUME, event.request, event.of, event.pause, event.signature)
    return event if isinstance(event, RequestArrived) else None


def present(execution: Execution) -> Step:
    """The step in hand."""
    assert execution.step
    return execution.step


def dropped(move: Move) -> int:
    """How many requests that came early turned out to be none for the pause, which then waits for others."""
    if not isinstance(move.event, StepFinished | PauseAsked) or not move.before.pause or move.before.pause.ended_by:
        return 0
    return sum("does not fit it" in said for said in move.after.warnings[len(move.before.warnings) :])


def said_with(pause: Pause) -> Json:
    """What the workflow is to be told of the decision that ended a pause."""
    decision = pause.decision
    if not decision:
        return None
    if pause.alternatives:
        return {**(decision.request or {}), "which": decision.which}
    if pause.approvals:
        return {**(decision.request or {}), "approvals": [signed(one) for one in pause.approvals.given]}
    return decision.request


def signed(approval: Decision) -> Json:
    """An approval, as the workflow is told of it."""
    return {
        "by": approval.signature.by or approval.signature.user or approval.which,
        "user": approval.which,
        "at": iso(approval.at),
        "comment": approval.signature.comment,
        "body": (approval.request or {}).get("body"),
    }


def form_of(pause: Pause, which: str | None) -> Json:
    """What a request is to fill: the form of its alternative, else that of the pause."""
    chosen = [one for one in pause.alternatives if one.name == which]
    return chosen[0].form if chosen else pause.form


def next_reminder(pause: Pause) -> int | None:
    """When people are to hear of a pause again: at each multiple of its interval that lies before its end."""
    if pause.remind_every is None or pause.wakes_at is None:
        return None
    due = pause.since + (pause.reminded + 1) * pause.remind_every
    return due if due < pause.wakes_at else None


def next_escalation(pause: Pause) -> int | None:
    """When others are to be asked too, once, if that lies before the end of a pause."""
    approvals = pause.approvals
    if not approvals or approvals.escalate_after is None or approvals.escalated or pause.wakes_at is None:
        return None
    due = pause.since + approvals.escalate_after
    return due if due < pause.wakes_at else None


def fits(execution: Execution, event: Event, now: int) -> bool:
    """Whether an event can happen to an execution; all others are to be refused, and change nothing."""
    running = execution.status is Status.RUNNING
    step = execution.step.status if execution.step else None
    match event:
        case Admitted():
            return execution.status is Status.QUEUED
        case StepStarted():
            return running and step is StepStatus.PENDING
        case StepFinished() | PauseAsked() | Responded():
            return running and step is StepStatus.RUNNING
        case StepFailed() | ServerLost() | Released():
            return running
        case TimerFired():
            pause = execution.pause
            return execution.status is Status.SUSPENDED and pause is not None and now >= (pause.wakes_at or 0)
        case ReminderDue():
            pause = execution.pause
            return pause is not None and pause.live and (due := next_reminder(pause)) is not None and now >= due
        case EscalationDue():
            pause = execution.pause
            return pause is not None and pause.live and (due := next_escalation(pause)) is not None and now >= due
        case Happened():
            pause = execution.pause
            return pause is not None and pause.live and pause.of == event.of and bool(pause.alternative(event.which))
        case Moved() | Arrived():
            rests = execution.status is Status.SUSPENDED or execution.status.final
            return rests and (isinstance(event, Moved) or execution.moved_to is None)
        case RequestArrived() | Continued() | Postponed() | Migrated():
            return True
