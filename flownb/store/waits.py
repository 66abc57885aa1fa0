"""What executions wait for besides requests and timers: rows that are there as long as the pause lives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Protocol

from flownb.core import children
from flownb.core.deployment import NoSuchWorkflow, Start
from flownb.core.events import Event, RequestArrived
from flownb.core.model import Action, Attempt, Awaited, Execution, Pause, PauseKind
from flownb.core.transitions import NotNow, live_pause
from flownb.store import happenings, sql
from flownb.store.change import Change
from flownb.store.engine import Database
from flownb.store.happenings import Happening


class Changes(Protocol):
    """What is asked of the store inside a job of its writer."""

    def begin(self, db: Database, wish: Start) -> Change:
        """Start a deployed workflow."""

    def transition(self, db: Database, execution_id: str, event: Event) -> Change:
        """Have an event happen to an execution."""


def follow(db: Database, changes: Changes, before: Execution, after: Execution, now: int) -> Iterator[Change]:
    """All that a change of an execution leads to because it waits, has waited, or is waited for."""
    was, is_ = wait(before), wait(after)
    if was is not None and is_ is None:
        db.execute("DELETE FROM waits WHERE execution = ?", (after.id,))
        if after.status.final:
            yield from _let_go(db, changes, after, was)
    if was is None and is_ is not None:
        yield from _begin(db, changes, after, is_, now)
    if after.status.final and not before.status.final:
        yield from _tell_parent(db, changes, after, now)


def wait(execution: Execution) -> Pause | None:
    """The wait for the first of several that an execution is in."""
    pause = live_pause(execution)
    return pause if pause is not None and pause.kind is PauseKind.WAIT else None


def waiting(db: Database, kind: Awaited, what: str) -> list[tuple[str, Attempt, str]]:
    """Executions that wait for a thing, in which attempt, and which alternative of their wait it is."""
    found = "SELECT execution, step, run, attempt, which FROM waits WHERE kind = ? AND what = ?"
    return [(row[0], Attempt(*row[1:4]), row[4]) for row in db.execute(found, (kind, what))]


def emit(db: Database, changes: Changes, told: Happening, now: int) -> tuple[bool, list[Change]]:
    """Put a named event on disk and wake all that wait for it; whether it is new."""
    number = happenings.keep(db, told, now)
    if number is None:
        return False, []
    woken = []
    for execution_id, of, which in waiting(db, Awaited.EVENT, told.name):
        with suppress(NotNow):  # another alternative of the same wait was for this event too
            event = happenings.happened(of, which, number, told.name, told.data, now)
            woken.append(changes.transition(db, execution_id, event))
    return True, woken


def _begin(db: Database, changes: Changes, execution: Execution, pause: Pause, now: int) -> Iterator[Change]:
    """An event that came shortly before ends the wait at once; else what it waits for is noted, and begun."""
    for one in pause.alternatives:
        if one.event is not None and (found := happenings.recent(db, execution, pause, one)) is not None:
            yield changes.transition(db, execution.id, found)
            return
    for one in pause.alternatives:
        if one.event is not None:
            _note(db, execution.id, pause, one.name, Awaited.EVENT, one.event)
    for which, wish in children.children(execution, pause):
        _note(db, execution.id, pause, which, Awaited.WORKFLOW, wish.id)
        try:
            children.demand_depth(wish)
            yield changes.begin(db, wish)
        except (NoSuchWorkflow, children.TooDeep) as error:
            yield changes.transition(db, execution.id, children.not_begun(pause.of, which, error))
            return


def _note(db: Database, execution_id: str, pause: Pause, which: str, kind: Awaited, what: str) -> None:
    row = {"execution": execution_id, **pause.of._asdict(), "which": which, "kind": kind, "what": what}
    sql.insert(db, "waits", row)


def _let_go(db: Database, changes: Changes, parent: Execution, pause: Pause) -> Iterator[Change]:
    """An execution that ends while it waits takes what it has started for that with it."""
    for _, wish in children.children(parent, pause):
        known = db.execute("SELECT 1 FROM executions WHERE id = ?", (wish.id,)).fetchone()
        if known:
            yield changes.transition(db, wish.id, RequestArrived(Action.CANCEL))


def _tell_parent(db: Database, changes: Changes, child: Execution, now: int) -> Iterator[Change]:
    for parent, of, which in waiting(db, Awaited.WORKFLOW, child.id):
        yield changes.transition(db, parent, children.ended(child, of, which, now))
