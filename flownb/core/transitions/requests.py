"""What somebody who asks to resume or cancel is told, and what comes of it: the contract's table of answers."""

from __future__ import annotations

from flownb.core.durations import LONGEST
from flownb.core.events import Continued, Postponed, RequestArrived
from flownb.core.frozen import replace
from flownb.core.model import Action, Attempt, Decision, EndedBy, Execution, Pause, PauseKind, Status, StepStatus
from flownb.core.transitions.choice import (
    EXPIRED,
    NOT_SUSPENDED,
    approved,
    completed,
    decision_of,
    meant,
    misfit,
    refusal,
)
from flownb.core.transitions.outcome import Answer, Outcome, cancel, live_pause, present, warn, with_pause
from flownb.core.transitions.pauses import decide, early_pause

DONE = {Action.RESUME: "resumed", Action.CANCEL: "cancelled"}
ACCEPTED = "accepted"

MOST_EARLY = 20
"""Decisions that are kept besides the first one as long as it is not known what a step asks for."""

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
    return Outcome(execution, _late(event.pause, event))


def continued(execution: Execution, event: Continued, now: int) -> Outcome:
    """A person resumes with the variables as they left them; in vain where the pause they opened has ended."""
    pause = live_pause(execution)
    if pause is None or pause.of != event.of:
        return Outcome(execution, late(event.pause, Action.RESUME))
    request = RequestArrived(Action.RESUME, event.request, event.of, signature=event.signature)
    resumed = _act(execution, request, now)
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


def _late(pause: Pause | None, event: RequestArrived) -> Answer:
    """As ``late``; the links of alternatives that were not the first are about a pause that never came."""
    lost = pause is not None and pause.decision is not None and _lost(pause, pause.decision, event)
    return late(None if lost else pause, event.action)


def _lost(pause: Pause, decision: Decision, event: RequestArrived) -> bool:
    """Whether somebody asks for an alternative of a wait though another one has been decided for."""
    resumes = event.action is decision.action is Action.RESUME
    known = decision.which is not None and bool(pause.alternatives)
    return resumes and known and meant(pause, event) not in (None, decision.which)


def _already(decision: Decision, action: Action) -> Answer:
    code, status = 200 if decision.action is action else 409, f"already_{DONE[decision.action]}"
    return Answer(code, status, decision.at, by=decision.signature.name)


def _act(execution: Execution, event: RequestArrived, now: int) -> Outcome:
    """A request about the live pause."""
    pause = execution.pause
    assert pause is not None
    decision = decision_of(pause, event, now)
    if (refused := _refused(execution, pause, event, decision)) is not None:
        return refused
    if (partly := approved(execution, pause, decision, now)) is not None:
        return partly
    return Outcome(decide(execution, decision, now), Answer(200, DONE[event.action], now))


def _early(execution: Execution, event: RequestArrived, now: int) -> Outcome:
    """The step has not ended: the first decision that fits what it asks for is kept and takes effect at its end."""
    pause = early_pause(execution) or Pause(of=present(execution).attempt, since=now)
    if (known := pause.decision) is not None:
        if _lost(pause, known, event):
            return Outcome(execution, EXPIRED)
        if known.action is not event.action:
            return Outcome(execution, _already(known, event.action))
        accepted = Answer(202, ACCEPTED, known.at, by=known.signature.name)
        if present(execution).asked:
            return Outcome(execution, accepted)
        if event.which is not None or len(pause.early) == MOST_EARLY:
            return Outcome(execution, NOT_SUSPENDED)
        return Outcome(with_pause(execution, early=(*pause.early, decision_of(pause, event, now))), accepted)
    decision = decision_of(pause, event, now)
    if (refused := _refused(execution, pause, event, decision)) is not None:
        return refused
    if (partly := approved(execution, pause, decision, now)) is not None:
        return partly
    return Outcome(replace(execution, pause=completed(pause, decision)), Answer(202, ACCEPTED, now))


def _refused(execution: Execution, pause: Pause, event: RequestArrived, decision: Decision) -> Outcome | None:
    """The answer to a request that a pause does not take."""
    if event.which is not None and not pause.alternatives:
        return Outcome(execution, NOT_SUSPENDED)
    # Who may write may end an execution, whatever it does: only that is asked for where no pause is named.
    ends = event.action is Action.CANCEL and event.attempt is None
    if not ends and (why := refusal(execution, pause, decision)):
        return Outcome(execution, why)
    errors = misfit(pause, decision)
    return Outcome(execution, Answer(422, "invalid", errors=errors)) if errors else None


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
        return Outcome(execution, _late(pause, event))
    return Outcome(execution, NOT_SUSPENDED)
