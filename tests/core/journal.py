"""What happened to an execution, event by event, as a store's journal holds it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from flownb.core.events import (
    Admitted,
    Continued,
    Event,
    Migrated,
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
    Execution,
    Pause,
    PauseKind,
    Status,
    Step,
    StepStatus,
)
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


def dropped(move: Move) -> bool:
    """Whether a request that came early turned out not to fill the form of the pause, which then waits for another."""
    early, pause = move.before.pause, move.after.pause
    if not isinstance(move.event, StepFinished) or not early or not early.decision or early.ended_by or not pause:
        return False
    return pause.live and pause.form is not None and any("does not fit" in said for said in move.after.warnings)


def next_reminder(pause: Pause) -> int | None:
    """When people are to hear of a pause again: at each multiple of its interval that lies before its end."""
    if pause.remind_every is None or pause.wakes_at is None:
        return None
    due = pause.since + (pause.reminded + 1) * pause.remind_every
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
        case RequestArrived() | Continued() | Postponed() | Migrated():
            return True
