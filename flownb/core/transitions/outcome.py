"""What a rule returns, and the small moves that all rules share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flownb.core.errors import FlowNBError
from flownb.core.frozen import replace
from flownb.core.model import EndedBy, Error, Execution, Pause, Status, Step, StepStatus


class NotNow(FlowNBError):
    """An event that does not fit the state of the execution any more; nothing was changed."""

    reason = "not_now"


@dataclass(frozen=True)
class Answer:
    """What the sender of a request is told: HTTP status, the word of the contract's table, and when it was decided.

    ``errors`` says by field what is wrong with the data of a form, ``by`` who had decided before, ``missing`` how many
    approvals are needed still, ``to`` where the execution went.
    """

    code: int
    status: str
    at: int | None = None
    reason: str | None = None
    errors: dict[str, str] = field(default_factory=dict)
    by: str | None = None
    missing: int | None = None
    to: str | None = None


@dataclass(frozen=True)
class Outcome:
    """The state after an event and, for a request, its answer."""

    execution: Execution
    answer: Answer | None = None


def demand(fits: bool, execution: Execution, what: str) -> None:
    if not fits:
        raise NotNow(f"execution {execution.id} is {execution.status}: {what} does not apply")


def present(execution: Execution) -> Step:
    """The step in hand; its absence would be an error of ours."""
    step = execution.step
    demand(step is not None, execution, "an event of a step")
    assert step is not None
    return step


def with_step(execution: Execution, **changes: Any) -> Execution:
    """The execution with its present step changed."""
    at = execution.at
    changed = replace(present(execution), **changes)
    return replace(execution, steps=(*execution.steps[:at], changed, *execution.steps[at + 1 :]))


def with_pause(execution: Execution, **changes: Any) -> Execution:
    assert execution.pause is not None
    return replace(execution, pause=replace(execution.pause, **changes))


def warn(execution: Execution, *warnings: str) -> Execution:
    return replace(execution, warnings=(*execution.warnings, *warnings)) if warnings else execution


def end_pause(execution: Execution, by: EndedBy, now: int) -> Execution:
    """The present pause is over; suspended time is counted up to here."""
    pause = execution.pause
    assert pause is not None
    waited = now - pause.since if execution.status is Status.SUSPENDED else 0
    ended = replace(execution, suspended_ms=execution.suspended_ms + max(0, waited))
    return with_pause(ended, ended_by=by, ended_at=now)


def void_pause(execution: Execution, now: int) -> Execution:
    """The step that asked for a pause has none: its links, and a request that came early, come to nothing."""
    pause = execution.pause
    if pause is None or pause.ended_by is not None or not pause.linked_to(present(execution).attempt):
        return execution
    return end_pause(execution, EndedBy.VOID, now)


def finish(execution: Execution, status: Status, now: int, **changes: Any) -> Execution:
    """A final state: every step that has not begun is skipped."""
    steps = tuple(
        replace(step, status=StepStatus.SKIPPED) if step.status is StepStatus.PENDING else step
        for step in execution.steps
    )
    return replace(execution, status=status, steps=steps, finished_at=now, **changes)


def fail_step(execution: Execution, error: Error, now: int, reason: str | None = None) -> Execution:
    """The present step and with it the execution fail; the exception's name is the reason if no other is given."""
    execution = void_pause(execution, now)
    execution = with_step(execution, status=StepStatus.FAILED, finished_at=now, error=error)
    return finish(execution, Status.FAILED, now, reason=reason or error.ename, error=error)


def spend(execution: Execution, compute_ms: int) -> Execution:
    """Compute time of the present step, which the segment and the execution pay for."""
    execution = with_step(execution, compute_ms=present(execution).compute_ms + compute_ms)
    return replace(
        execution,
        compute_ms=execution.compute_ms + compute_ms,
        segment_ms=execution.segment_ms + compute_ms,
    )


def interrupt(execution: Execution, now: int) -> Execution:
    """The present step is stopped before its end: what it ran so far was compute time all the same."""
    step = present(execution)
    if step.status is not StepStatus.RUNNING or step.started_at is None:
        return execution
    return spend(execution, max(0, now - step.started_at))


def cancel(execution: Execution, reason: str, now: int) -> Execution:
    """The execution ends by somebody's wish, or because a pause ran out with ``on_timeout="cancel"``."""
    execution = void_pause(interrupt(execution, now), now)
    if present(execution).runs:
        execution = with_step(execution, status=StepStatus.CANCELLED, finished_at=now)
    return finish(execution, Status.CANCELLED, now, reason=reason)


def pass_step(execution: Execution, now: int) -> Execution:
    """The present step is done; the next one is in hand, or the execution has succeeded."""
    execution = with_step(execution, status=StepStatus.SUCCEEDED)
    execution = replace(execution, at=execution.at + 1)
    return execution if execution.step is not None else finish(execution, Status.SUCCEEDED, now)


def live_pause(execution: Execution) -> Pause | None:
    """The pause that an execution waits in."""
    pause = execution.pause
    return pause if pause is not None and pause.live else None
