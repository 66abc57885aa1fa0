"""A paused execution moves to another version: what it has run stays, what is to come is that of the new one."""

from __future__ import annotations

from flownb.core.events import Migrated
from flownb.core.frozen import replace
from flownb.core.model import Execution
from flownb.core.transitions.choice import NOT_SUSPENDED
from flownb.core.transitions.outcome import Answer, Outcome, live_pause, warn

CHANGED = Answer(409, "changed", reason="changed")


def migrated(execution: Execution, event: Migrated, now: int) -> Outcome:
    """In vain where the pause has ended meanwhile; the pause itself, its links and its time stay as they are."""
    pause = live_pause(execution)
    if pause is None or pause.of != event.of:
        return Outcome(execution, NOT_SUSPENDED)
    if event.version == execution.version:
        return Outcome(execution, Answer(200, "unchanged"))
    count = execution.at + 1
    begun, same = execution.steps[:count], event.steps[:count]
    if [step.name for step in begun] != [step.name for step in same]:
        return Outcome(execution, CHANGED)
    kept = (replace(step, cell_id=new.cell_id) for step, new in zip(begun, same, strict=True))
    after = replace(execution, version=event.version, steps=(*kept, *event.steps[count:]))
    return Outcome(warn(after, *event.warnings), Answer(200, "migrated", now))
