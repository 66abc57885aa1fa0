"""What somebody who asks to resume or cancel is told, and what comes of it: the contract's table of answers."""

from __future__ import annotations

from flownb.core.durations import LONGEST
from flownb.core.events import Continued, Postponed, RequestArrived
from flownb.core.frozen import replace
from flownb.core.model import Action, Attempt, Decision, EndedBy, Execution, Pause, PauseKind, Status, StepStatus
from flownb.core.transitions.outcome import Answer, Outcome, cancel, live_pause, present, warn, with_pause
from flownb.core.transitions.pauses import decide, early_pause, misfit

DONE = {Action.RESUME: "resumed", Action.CANCEL: "cancelled"}
EXPIRED = Answer(410, "expired")
NOT_SUSPENDED = Answer(409, "not_suspended", reason="not_suspended")
ACCEPTED = "accepted"
UNDER_WAY = (StepStatus.RUNNING, StepStatus.PENDING)


def requested(execution: Execution, event: RequestArrived, now: int) -> Outcome:
    """A request about one pause, or by the API about whatever the execution waits in now."""
    if event.attempt is None:
        return _by_api(execution, event, now)
    pause = execution.pause
    if pause is not None and pause.live and pause.linked_to(event.attempt):
        return _act(execution, event, now)
    if _under_way(execution, event.attempt):
        return _early(execution, event, now)
    return Outcome(execution, late(event.pause, event.action))


def continued(execution: Execution, event: Continued, now: int) -> Outcome:
    """A person resumes with the variables as they left them; in vain where the pause they opened has ended."""
    pause = live_pause(execution)
    if pause is None or pause.of != event.of:
        return Outcome(execution, late(event.pause, Action.RESUME))
    resumed = _act(execution, RequestArrived(Action.RESUME, event.request, signature=event.signature), now)
    if resumed.answer is None or resumed.answer.code != 200:
        return resumed
    changed = replace(resumed.execution, checkpoint=event.checkpoint)
    said = f"a person opened the pause of step {event.of.step!r} and {event.changes or 'changed nothing'}"
    return Outcome(warn(changed, said), resumed.answer)


def postponed(execution: Execution, event: Postponed, now: int) -> Outcome:
    """More time for whoever decides: never less, so that doing it twice is doing it once."""
    pause = live_pause(execution)
    if pause is None or (event.attempt is not None and not pause.linked_to(event.attempt)):
        waits_later = event.attempt is not None and _under_way(execution, event.attempt)
        ended = event.attempt is not None and not waits_later
        return Outcome(execution, late(event.pause, Action.RESUME) if ended else NOT_SUSPENDED)
    if pause.kind is not PauseKind.SUSPEND or pause.wakes_at is None:
        return Outcome(execution, Answer(409, "no_deadline", reason="no_deadline"))
    if event.until > now + LONGEST:
        return Outcome(execution, Answer(422, "invalid", errors={"for": "is more than 366 days from now"}))
    if event.until <= pause.wakes_at:
        return Outcome(execution, Answer(200, "postponed", pause.wakes_at))
    return Outcome(with_pause(execution, wakes_at=event.until), Answer(200, "postponed", event.until))


def undecided(execution: Execution, pause: Pause | None, attempt: Attempt) -> bool:
    """Whether a decision by the links of ``attempt`` would still count; ``pause`` is what is on record of it."""
    if pause is not None:
        return pause.ended_by is None and pause.decision is None
    return _under_way(execution, attempt)


def _under_way(execution: Execution, attempt: Attempt) -> bool:
    """Whether the attempt runs, or will be repeated after a crash."""
    step = execution.step
    return step is not None and step.attempt == attempt and step.status in UNDER_WAY


def late(pause: Pause | None, action: Action) -> Answer:
    """The answer to a link whose pause has ended, or never came."""
    if pause is None or pause.decision is None or pause.ended_by not in (EndedBy.RESUME, EndedBy.CANCEL):
        return replace(EXPIRED, at=pause.ended_at if pause else None)
    return _already(pause.decision, action)


def _already(decision: Decision, action: Action) -> Answer:
    code, status = 200 if decision.action is action else 409, f"already_{DONE[decision.action]}"
    return Answer(code, status, decision.at, by=decision.signature.name)


def _act(execution: Execution, event: RequestArrived, now: int) -> Outcome:
    decision = Decision(event.action, now, event.request, event.signature)
    if execution.pause is not None and (errors := misfit(execution.pause.form, decision)):
        return Outcome(execution, Answer(422, "invalid", errors=errors))
    return Outcome(decide(execution, decision, now), Answer(200, DONE[event.action], now))


def _early(execution: Execution, event: RequestArrived, now: int) -> Outcome:
    """The step has not ended: the first decision is kept and takes effect at its end."""
    pause = early_pause(execution) or Pause(of=present(execution).attempt, since=now)
    if pause.decision is not None:
        if pause.decision.action is event.action:
            return Outcome(execution, Answer(202, ACCEPTED, pause.decision.at, by=pause.decision.signature.name))
        return Outcome(execution, _already(pause.decision, event.action))
    decision = Decision(event.action, now, event.request, event.signature)
    if errors := misfit(pause.form, decision):
        return Outcome(execution, Answer(422, "invalid", errors=errors))
    return Outcome(replace(execution, pause=replace(pause, decision=decision)), Answer(202, ACCEPTED, now))


def _by_api(execution: Execution, event: RequestArrived, now: int) -> Outcome:
    if execution.status.final:
        ended = Answer(410, "expired", execution.finished_at, "final")
        if event.action is Action.CANCEL and execution.status is Status.CANCELLED:
            ended = Answer(200, "already_cancelled", execution.finished_at)
        return Outcome(execution, ended)
    if live_pause(execution):
        return _act(execution, event, now)
    if event.action is Action.CANCEL:
        return Outcome(cancel(execution, "request", now), Answer(200, "cancelled", now))
    pause, step = execution.pause, execution.step
    if step is not None and step.asked and step.status in UNDER_WAY:
        return _early(execution, event, now)
    if pause is not None and execution.status is Status.QUEUED and execution.fresh:
        return Outcome(execution, late(pause, event.action))
    return Outcome(execution, NOT_SUSPENDED)
