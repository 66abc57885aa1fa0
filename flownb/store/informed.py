"""Requests with what is on record of the pause that they are about."""

from __future__ import annotations

from flownb.core import events
from flownb.core.frozen import replace
from flownb.core.model import Attempt, Execution, Pause
from flownb.store import aggregate
from flownb.store.engine import Database


def informed(db: Database, before: Execution, event: events.Event) -> events.Event:
    """A request with what is on record of the pause that it is about."""
    if isinstance(event, events.Continued):
        pause = _pause(db, before, event.of) or aggregate.load_pause(db, before.id, event.of, linked=False)
        return replace(event, pause=pause)
    if isinstance(event, events.RequestArrived | events.Postponed) and event.attempt is not None:
        return replace(event, pause=_pause(db, before, event.attempt))
    return event


def _pause(db: Database, execution: Execution, of: Attempt) -> Pause | None:
    """What is on record of the pause that the links of an attempt are about."""
    latest = execution.pause
    if latest is not None and latest.linked_to(of):
        return latest
    return aggregate.load_pause(db, execution.id, of)
