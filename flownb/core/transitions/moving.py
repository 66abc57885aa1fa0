"""An execution goes to another machine: here it is over, there it waits on."""

from __future__ import annotations

from flownb.core.events import Arrived, Moved
from flownb.core.frozen import replace
from flownb.core.model import EndedBy, Execution, Status
from flownb.core.transitions.outcome import Outcome, cancel, demand, end_pause, warn

UNKNOWN = "unknown yet"
"""Where an execution went, until somebody says so."""


def moved(execution: Execution, event: Moved, now: int) -> Outcome:
    """What is suspended is cancelled here, what was over stays as it was; both say where it went."""
    if execution.moved_to is not None:
        return Outcome(replace(execution, moved_to=event.to) if event.to else execution)
    demand(at_rest(execution), execution, "moving it")
    if execution.status is Status.SUSPENDED:
        execution = cancel(end_pause(execution, EndedBy.MOVED, now), "moved", now)
    return Outcome(replace(execution, moved_to=event.to or UNKNOWN))


def arrived(execution: Execution, event: Arrived, now: int) -> Outcome:
    """Nothing changes but that the record says where it came from."""
    demand(at_rest(execution) and execution.moved_to is None, execution, "its arrival")
    return Outcome(warn(execution, f"it was moved here from {event.origin}"))


def at_rest(execution: Execution) -> bool:
    """Whether nothing of it is under way."""
    return execution.status is Status.SUSPENDED or execution.status.final


def forwarded(execution: Execution, outcome: Outcome) -> Outcome:
    """Whoever comes too late is told where it went."""
    answer = outcome.answer
    if execution.moved_to is None or answer is None or answer.status != "expired":
        return outcome
    return Outcome(outcome.execution, replace(answer, status="moved", reason="moved", to=execution.moved_to))
