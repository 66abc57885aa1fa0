"""A pause from its first link to its end: one request or its timer, never both."""

from __future__ import annotations

from flownb.core import events, payload
from flownb.core.forms import unusable
from flownb.core.frozen import replace
from flownb.core.model import (
    Action,
    Awaited,
    Decision,
    EndedBy,
    Error,
    Execution,
    Json,
    Pause,
    PauseKind,
    Signature,
    Status,
    StepStatus,
)
from flownb.core.transitions import choice
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
    """The step has its links and may have sent them: from now on they are answered as its pause will be.

    Of what came before this was known, the first that fits stands.
    """
    demand(execution.status is Status.RUNNING, execution, "asking for a pause")
    demand(present(execution).status is StepStatus.RUNNING, execution, "asking for a pause")
    early = early_pause(execution) or Pause(of=present(execution).attempt, since=now)
    given = early.approvals.given if early.approvals else ()
    pause = replace(
        early,
        confirm=event.confirm,
        form=event.form,
        alternatives=event.alternatives,
        approvals=replace(event.approvals, given=given) if event.approvals else None,
    )
    execution, known = replace(execution, pause=pause), present(execution).asked
    return Outcome(with_step(execution if known else _sift(execution, now), asked=True))


def _sift(execution: Execution, now: int) -> Execution:
    """What came before the pause was known is tried in its order."""
    pause = execution.pause
    assert pause is not None
    decisions = _decisions(pause)
    execution, decision = _first(with_pause(execution, decision=None, early=()), decisions, now)
    if decision is None:
        return execution
    assert execution.pause is not None
    return replace(execution, pause=choice.completed(execution.pause, decision))


def suspend(execution: Execution, call: events.PauseCall, now: int) -> Execution:
    """The step has ended and its pause begins; a decision that came early ends it in the same moment."""
    early = early_pause(execution)
    timers = [one.after_ms for one in call.alternatives if one.after_ms is not None]
    pause = Pause(
        of=present(execution).attempt,
        since=now,
        kind=call.kind,
        wakes_at=now + min([call.after_ms, *timers]),
        on_timeout=call.on_timeout,
        reason=call.reason,
        form=call.form,
        confirm=call.confirm,
        context=call.context,
        max_retries=call.max_retries,
        remind_every=call.remind_every,
        alternatives=call.alternatives,
        approvals=call.approvals,
    )
    for form in (call.form, *(one.form for one in call.alternatives)):
        if form is not None and (why := unusable(form)):
            execution = warn(execution, f"the form is no usable JSON Schema ({why}): no approval can fill it")
    execution = with_step(execution, status=StepStatus.SUSPENDED)
    execution = replace(execution, status=Status.SUSPENDED, pause=pause)
    return _take(execution, early, now) if early else execution


def _take(execution: Execution, early: Pause, now: int) -> Execution:
    """What was decided while the step ran takes effect, as far as the pause is what those who decided thought."""
    execution, decision = _first(execution, _decisions(early), now)
    return execution if decision is None else decide(execution, decision, now)


def _decisions(early: Pause) -> list[Decision]:
    """All that are on record of a pause, in the order in which they came."""
    given = early.approvals.given if early.approvals else ()
    first = [early.decision] if early.decision is not None and early.decision not in given else []
    return [*given, *first, *early.early]


def _first(execution: Execution, decisions: list[Decision], now: int) -> tuple[Execution, Decision | None]:
    """The first decision that ends the present pause, if one does; approvals before it count, misfits are dropped."""
    for known in decisions:
        pause = execution.pause
        assert pause is not None
        decision = choice.placed(pause, known)
        if why := _unfit(execution, pause, decision):
            said = f"a request came before the pause was known and does not fit it ({why}): dropped"
            execution = warn(execution, said)
        elif partly := choice.approved(execution, pause, decision, now):
            execution = partly.execution
        else:
            return execution, decision
    return execution, None


def _unfit(execution: Execution, pause: Pause, decision: Decision) -> str:
    """Why an early decision is none for the pause that came of it; empty where it is."""
    if refused := choice.refusal(execution, pause, decision):
        return refused.status
    return "; ".join(f"{field or 'data'}: {said}" for field, said in choice.misfit(pause, decision).items())


def early_pause(execution: Execution) -> Pause | None:
    """What is on record of the present attempt's pause before its step has ended."""
    pause = execution.pause
    mine = pause is not None and pause.ended_by is None and pause.linked_to(present(execution).attempt)
    return pause if mine else None


def decide(execution: Execution, decision: Decision, now: int) -> Execution:
    """A request ends the live pause."""
    execution = replace(execution, pause=choice.completed(_live(execution), decision))
    if decision.action is Action.CANCEL:
        return cancel(end_pause(execution, EndedBy.CANCEL, now), "request", now)
    return _wake(end_pause(execution, EndedBy.RESUME, now), now)


def happened(execution: Execution, event: events.Happened, now: int) -> Outcome:
    """What one alternative of the live wait waits for has come about: it is the first."""
    pause = live_pause(execution)
    chosen = pause.alternative(event.which) if pause is not None and pause.of == event.of else None
    demand(chosen is not None, execution, "the end of a wait")
    assert chosen is not None
    execution = _won(execution, event.which, event.request, event.by, now)
    if event.error is not None and (event.fatal or chosen.on_failure == "raise"):
        return Outcome(fail_step(execution, event.error, now))
    return Outcome(_wake(execution, now))


def _won(execution: Execution, which: str, request: Json, by: EndedBy, now: int) -> Execution:
    """The wait is over by an alternative that nobody decided for."""
    decision = Decision(Action.RESUME, now, request, which=which)
    return end_pause(with_pause(execution, decision=decision), by, now)


def timer_fired(execution: Execution, event: events.TimerFired, now: int) -> Outcome:
    """The pause ends by itself, never before its time."""
    pause = live_pause(execution)
    demand(pause is not None, execution, "a timer")
    assert pause is not None
    demand(pause.wakes_at is not None and pause.wakes_at <= now, execution, "a timer that is not due")
    if (timer := _timer(pause)) is not None:
        return Outcome(_wake(_won(execution, timer, payload.arrived(None, now), EndedBy.TIMER, now), now))
    execution = end_pause(execution, EndedBy.TIMER, now)
    if pause.on_timeout == "cancel":
        return Outcome(cancel(execution, "timeout", now))
    if pause.on_timeout == "error":
        text = f"nobody answered the pause of step {pause.of.step!r} in time"
        return Outcome(fail_step(execution, Error("PauseTimeout", text), now))
    return Outcome(_wake(execution, now))


def _timer(pause: Pause) -> str | None:
    """The alternative that is due with the pause, if it is one and not the timeout."""
    timers = (one for one in pause.alternatives if one.kind is Awaited.TIMER and one.after_ms is not None)
    due = (one.name for one in timers if pause.since + (one.after_ms or 0) == pause.wakes_at)
    return next(due, None)


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


def escalation(pause: Pause) -> int | None:
    """When others are to be asked too, if that is before the end of a live pause."""
    approvals = pause.approvals
    if approvals is None or approvals.escalate_after is None or approvals.escalated or pause.wakes_at is None:
        return None
    at = pause.since + approvals.escalate_after
    return at if at < pause.wakes_at else None


def escalation_due(execution: Execution, event: events.EscalationDue, now: int) -> Outcome:
    """Those behind the approvers are asked too."""
    pause = live_pause(execution)
    due = escalation(pause) if pause else None
    demand(due is not None and due <= now, execution, "an escalation")
    assert pause is not None
    assert pause.approvals is not None
    return Outcome(with_pause(execution, approvals=replace(pause.approvals, escalated=True)))


def due_at(execution: Execution) -> int | None:
    """When something is to happen by itself: the end of the live pause, or a reminder or an escalation before it."""
    pause = live_pause(execution)
    if pause is None:
        return None
    return min((at for at in (reminder(pause), escalation(pause), pause.wakes_at) if at is not None), default=None)


def _wake(execution: Execution, now: int) -> Execution:
    """The execution goes on: with the next step after a suspend, delay or wait, else with this one again."""
    pause = execution.pause
    assert pause is not None
    decision, request = pause.decision, choice.told(pause)
    execution = replace(execution, status=Status.QUEUED, fresh=True)
    if pause.kind is not PauseKind.RETRY:  # of which the step knows nothing: another attempt sees what the first saw
        execution = replace(execution, resume=request, resumed_by=_whose(pause))
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


def _whose(pause: Pause) -> Signature | None:
    """Whose request ended a pause, if one did."""
    return pause.decision.signature if pause.decision is not None and pause.ended_by is EndedBy.RESUME else None


def _live(execution: Execution) -> Pause:
    pause = live_pause(execution)
    assert pause is not None
    return pause
