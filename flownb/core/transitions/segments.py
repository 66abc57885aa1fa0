"""From admission to the end of a step: what happens while an execution has a slot."""

from __future__ import annotations

from flownb.core import events
from flownb.core.frozen import replace
from flownb.core.model import Error, Execution, Pause, PauseKind, Status, StepStatus, segment_credits
from flownb.core.transitions.answers import answer
from flownb.core.transitions.outcome import (
    Outcome,
    demand,
    fail_step,
    finish,
    interrupt,
    pass_step,
    present,
    spend,
    void_pause,
    warn,
    with_step,
)
from flownb.core.transitions.pauses import suspend

CRASH_LOOP = 3
"""So many servers lost in a row under one step end it."""


def admitted(execution: Execution, event: events.Admitted, now: int) -> Outcome:
    """A queued execution takes a slot; after a pause, or at first, a new segment and a new count of credits begin."""
    demand(execution.status is Status.QUEUED, execution, "admission")
    if execution.fresh:
        execution = replace(
            execution,
            fresh=False,
            segments=execution.segments + 1,
            earlier_credits=execution.earlier_credits + segment_credits(execution),
            segment_ms=0,
        )
    started = now if execution.started_at is None else execution.started_at
    return Outcome(replace(execution, status=Status.RUNNING, started_at=started))


def started(execution: Execution, event: events.StepStarted, now: int) -> Outcome:
    demand(execution.status is Status.RUNNING, execution, "the start of a step")
    demand(present(execution).status is StepStatus.PENDING, execution, "the start of a step")
    return Outcome(begin(warn(execution, *event.warnings), now))


def begin(execution: Execution, now: int) -> Execution:
    """The present step runs: for the first time, or again with what its wake has prepared."""
    step = present(execution)
    return with_step(
        execution,
        status=StepStatus.RUNNING,
        runs=max(1, step.runs),
        attempts=max(1, step.attempts),
        started_at=now,
        finished_at=None,
        error=None,
    )


def finished(execution: Execution, event: events.StepFinished, now: int) -> Outcome:
    """The end of a step: ``exit`` wins over a pause, the last pause asked for over those before it."""
    execution = spend(_running(execution, "the end of a step"), event.compute_ms)
    execution = replace(execution, checkpoint=event.checkpoint)
    execution = with_step(execution, exports=event.exports, finished_at=now, losses=0)
    execution = answer(warn(execution, *event.warnings), event.response)
    call, warnings = _winner(execution, event)
    execution = warn(execution, *warnings)
    if call is not None:
        return Outcome(suspend(execution, call, now))
    execution = void_pause(execution, now)
    if event.exit is not None:
        execution = with_step(execution, status=StepStatus.SUCCEEDED)
        return Outcome(finish(execution, Status.SUCCEEDED, now, reason=event.exit.reason))
    execution = pass_step(execution, now)
    return Outcome(execution if execution.status.final else begin(execution, now))


def _winner(execution: Execution, event: events.StepFinished) -> tuple[events.PauseCall | None, list[str]]:
    """Which of the pauses asked for is taken, and what the record says of the others."""
    step = present(execution)
    spent = [call for call in event.pauses if call.max_retries is not None and step.runs > call.max_retries]
    asked = [call for call in event.pauses if call not in spent]
    warnings = [
        f"step {step.name!r}, run {step.runs}: the limit of {call.max_retries} reruns is reached, going on"
        for call in spent
    ]
    if event.exit is not None:
        if asked:
            warnings.append(f"step {step.name!r} asked for a pause and for an exit: the exit wins")
        return None, warnings
    if len(asked) > 1:
        warnings.append(f"step {step.name!r} asked for {len(asked)} pauses: the last one ({asked[-1].kind}) is taken")
    return (asked[-1] if asked else None), warnings


def failed(execution: Execution, event: events.StepFailed, now: int) -> Outcome:
    """The step raised, or no kernel came for it: it waits for another attempt if its policy has one, else it fails."""
    demand(execution.status is Status.RUNNING, execution, "the failure of a step")
    execution = spend(execution, event.compute_ms)
    if present(execution).status is StepStatus.PENDING:
        execution = begin(execution, now)
    if event.response is not None and event.response.due:
        execution = answer(execution, event.response)
    step = present(execution)
    retry = step.policy.retry
    if event.final or retry is None or step.attempts > retry.max:
        return Outcome(fail_step(execution, event.error, now, event.reason))
    execution = void_pause(execution, now)
    execution = with_step(
        execution, status=StepStatus.SUSPENDED, error=event.error, last_error=event.error, finished_at=now
    )
    wakes_at = now + retry.wait(step.attempts)
    pause = Pause(of=step.attempt, since=now, kind=PauseKind.RETRY, wakes_at=wakes_at, reason=event.error.ename)
    past = (execution.pause,) if execution.pause is not None else ()
    return Outcome(replace(execution, status=Status.SUSPENDED, pause=pause, past=past))


def server_lost(execution: Execution, event: events.ServerLost, now: int) -> Outcome:
    """The step in flight runs again in the same run, attempt and segment, unless it is lost too often or runs once."""
    demand(execution.status is Status.RUNNING, execution, "the loss of a server")
    step = present(execution)
    if step.status is not StepStatus.RUNNING:
        return Outcome(replace(execution, status=Status.QUEUED))
    losses = step.losses + 1
    execution = with_step(execution, losses=losses)
    if losses >= CRASH_LOOP:
        why = f"step {step.name!r} was running when {event.lost} was lost, {losses} times in a row"
        return Outcome(fail_step(execution, Error("CrashLoop", why), now))
    return Outcome(_give_back(execution, f"{event.lost} was lost", now))


def released(execution: Execution, event: events.Released, now: int) -> Outcome:
    """The server stops in order: the step in flight runs again, and that counts as no loss."""
    demand(execution.status is Status.RUNNING, execution, "giving it back")
    if present(execution).status is not StepStatus.RUNNING:
        return Outcome(replace(execution, status=Status.QUEUED))
    if not event.begun:
        return Outcome(replace(with_step(execution, status=StepStatus.PENDING), status=Status.QUEUED))
    return Outcome(_give_back(interrupt(execution, now), "the server stopped", now))


def _give_back(execution: Execution, why: str, now: int) -> Execution:
    step = present(execution)
    if step.policy.once:
        text = f"{why} while step {step.name!r} was running, and the step is marked `once`: it is not repeated"
        return fail_step(execution, Error("OnceInterrupted", text), now)
    return replace(with_step(execution, status=StepStatus.PENDING), status=Status.QUEUED)


def _running(execution: Execution, what: str) -> Execution:
    demand(execution.status is Status.RUNNING, execution, what)
    demand(present(execution).status is StepStatus.RUNNING, execution, what)
    return execution
