"""A pause from its first link to its end: one request or its timer, never both."""

from __future__ import annotations

from flownb.core import events
from flownb.core.forms import complaints, unusable
from flownb.core.frozen import replace
from flownb.core.model import (
    Action,
    Decision,
    EndedBy,
    Error,
    Execution,
    Json,
    Pause,
    PauseKind,
    Status,
    StepStatus,
)
from flownb.core.transitions.outcome import (
    Outcome,
    cancel,
    demand,
    end_pause,
    fail_step,
    live_pause,
    pass_step,
    present,
    warn,
    with_pause,
    with_step,
)


def asked(execution: Execution, event: events.PauseAsked, now: int) -> Outcome:
    """The step has its links and may have sent them: from now on they are answered as its pause will be."""
    demand(execution.status is Status.RUNNING, execution, "asking for a pause")
    demand(present(execution).status is StepStatus.RUNNING, execution, "asking for a pause")
    early = early_pause(execution) or Pause(of=present(execution).attempt, since=now)
    pause = replace(early, confirm=event.confirm, form=event.form)
    return Outcome(with_step(replace(execution, pause=pause), asked=True))


def suspend(execution: Execution, call: events.PauseCall, now: int) -> Execution:
    """The step has ended and its pause begins; a decision that came early ends it in the same moment."""
    asked_before = early_pause(execution)
    early = asked_before.decision if asked_before else None
    if early is not None and (errors := misfit(call.form, early)):
        what = "; ".join(f"{field or 'data'}: {complaint}" for field, complaint in errors.items())
        execution = warn(execution, f"a request came before the form was known and does not fit it ({what}): dropped")
        early = None
    if call.form is not None and (why := unusable(call.form)):
        execution = warn(execution, f"the form is no usable JSON Schema ({why}): no approval can fill it")
    pause = Pause(
        of=present(execution).attempt,
        since=now,
        kind=call.kind,
        wakes_at=now + call.after_ms,
        on_timeout=call.on_timeout,
        reason=call.reason,
        form=call.form,
        confirm=call.confirm,
        context=call.context,
        max_retries=call.max_retries,
        remind_every=call.remind_every,
        decision=early,
    )
    execution = with_step(execution, status=StepStatus.SUSPENDED)
    execution = replace(execution, status=Status.SUSPENDED, pause=pause)
    return decide(execution, early, now) if early else execution


def early_pause(execution: Execution) -> Pause | None:
    """What is on record of the present attempt's pause before its step has ended."""
    pause = execution.pause
    mine = pause is not None and pause.ended_by is None and pause.linked_to(present(execution).attempt)
    return pause if mine else None


def misfit(form: Json, decision: Decision) -> dict[str, str]:
    """What is wrong with the data of an approval, by field; a cancel needs none."""
    if form is None or decision.action is not Action.RESUME:
        return {}
    return complaints(form, decision.request["body"] if decision.request else None)


def decide(execution: Execution, decision: Decision, now: int) -> Execution:
    """A request ends the live pause."""
    execution = replace(execution, pause=replace(_live(execution), decision=decision))
    if decision.action is Action.CANCEL:
        return cancel(end_pause(execution, EndedBy.CANCEL, now), "request", now)
    return _wake(end_pause(execution, EndedBy.RESUME, now), decision, now)


def timer_fired(execution: Execution, event: events.TimerFired, now: int) -> Outcome:
    """The pause ends by itself, never before its time."""
    pause = live_pause(execution)
    demand(pause is not None, execution, "a timer")
    assert pause is not None
    demand(pause.wakes_at is not None and pause.wakes_at <= now, execution, "a timer that is not due")
    execution = end_pause(execution, EndedBy.TIMER, now)
    if pause.on_timeout == "cancel":
        return Outcome(cancel(execution, "timeout", now))
    if pause.on_timeout == "error":
        text = f"nobody answered the pause of step {pause.of.step!r} in time"
        return Outcome(fail_step(execution, Error("PauseTimeout", text), now))
    return Outcome(_wake(execution, None, now))


def reminder(pause: Pause) -> int | None:
    """When people are to be reminded of a live pause, if that is before its end."""
    if pause.remind_every is None or pause.wakes_at is None:
        return None
    at = pause.since + (pause.reminded + 1) * pause.remind_every
    return at if at < pause.wakes_at else None


def reminder_due(execution: Execution, event: events.ReminderDue, now: int) -> Outcome:
    """One reminder, also where several fell into a time in which no server ran; the next one lies ahead."""
    pause = live_pause(execution)
    due = reminder(pause) if pause else None
    demand(due is not None and due <= now, execution, "a reminder")
    assert pause is not None
    assert pause.remind_every is not None
    return Outcome(with_pause(execution, reminded=(now - pause.since) // pause.remind_every))


def due_at(execution: Execution) -> int | None:
    """When something is to happen by itself: the end of the live pause, or a reminder before it."""
    pause = live_pause(execution)
    return (reminder(pause) or pause.wakes_at) if pause else None


def _wake(execution: Execution, decision: Decision | None, now: int) -> Execution:
    """The execution goes on: with the next step after a suspend or delay, else with this one again."""
    pause = execution.pause
    assert pause is not None
    request = decision.request if decision else None
    execution = replace(execution, status=Status.QUEUED, fresh=True)
    if pause.kind is not PauseKind.RETRY:  # of which the step knows nothing: another attempt sees what the first saw
        execution = replace(execution, resume=request, resumed_by=decision.signature if decision else None)
    step = present(execution)
    again = {"status": StepStatus.PENDING, "asked": False, "losses": 0, "exports": {}}
    if pause.kind is PauseKind.RERUN:
        new = {"runs": step.runs + 1, "attempts": 1, "last_error": None}
        return with_step(execution, **again, **new, context=pause.context, callback=request)
    if pause.kind is PauseKind.RETRY:
        return with_step(execution, **again, attempts=step.attempts + 1)
    if decision is not None:
        execution = with_step(execution, exports={**step.exports, "$resume_data": request})
    return pass_step(execution, now)


def _live(execution: Execution) -> Pause:
    pause = live_pause(execution)
    assert pause is not None
    return pause
