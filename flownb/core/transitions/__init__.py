"""Every rule of the contract: state + event + now -> state, and the answer where somebody asked.

Pure. The store calls ``apply`` inside its writer's transaction, on the rows read in that very transaction, so that a
rule never decides on what has changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flownb.core import events
from flownb.core.model import Execution
from flownb.core.transitions import answers, moving, pauses, segments
from flownb.core.transitions.migrating import migrated
from flownb.core.transitions.outcome import Answer, NotNow, Outcome, live_pause
from flownb.core.transitions.pauses import due_at
from flownb.core.transitions.requests import continued, late, postponed, requested, undecided

__all__ = ["Answer", "NotNow", "Outcome", "apply", "due_at", "late", "live_pause", "undecided"]

Rule = Callable[[Execution, Any, int], Outcome]

RULES: dict[type, Rule] = {
    events.Admitted: segments.admitted,
    events.StepStarted: segments.started,
    events.Responded: answers.responded,
    events.StepFinished: segments.finished,
    events.StepFailed: segments.failed,
    events.ServerLost: segments.server_lost,
    events.Released: segments.released,
    events.PauseAsked: pauses.asked,
    events.TimerFired: pauses.timer_fired,
    events.ReminderDue: pauses.reminder_due,
    events.EscalationDue: pauses.escalation_due,
    events.Happened: pauses.happened,
    events.RequestArrived: requested,
    events.Postponed: postponed,
    events.Continued: continued,
    events.Migrated: migrated,
    events.Moved: moving.moved,
    events.Arrived: moving.arrived,
}


def apply(execution: Execution, event: events.Event, now: int) -> Outcome:
    """What becomes of ``execution`` when ``event`` happens at ``now`` (ms, UTC).

    Raises ``NotNow`` where the event does not fit the state, such as a step's end after a cancel: nothing changes.
    """
    return moving.forwarded(execution, answers.settled(RULES[type(event)](execution, event, now)))
