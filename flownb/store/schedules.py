"""The schedules of deployed workflows: when each is due next, and what became of the times that have come."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flownb.core.deployment import NoSuchWorkflow, QueueFull, Start
from flownb.core.frozen import replace
from flownb.core.jsonvalue import dumps
from flownb.core.schedules import TYPE, Firing, event, following, plan
from flownb.core.settings import Schedule
from flownb.store import sql
from flownb.store.change import Change
from flownb.store.engine import Database

NO_SERVER = "no server was at work"


@dataclass(frozen=True)
class Scheduled:
    """One of the schedules of a workflow, at its ``place`` in the settings; times are in ms since 1970.

    It counts from ``since``; times up to ``until`` have been dealt with; ``due_at`` is when to look at it again, None
    for never. ``going`` are executions that it started and that may not be over. ``skipped`` times have started
    nothing, the latest at ``skipped_at``.
    """

    workflow: str
    place: int
    schedule: Schedule
    since: int
    until: int
    due_at: int | None = None
    going: tuple[str, ...] = ()
    skipped: int = 0
    skipped_at: int | None = None
    skipped_why: str | None = None

    def first_due(self, now: int) -> int | None:
        """The first time to be dealt with; where the clock was put back, what it showed before counts no more."""
        assert self.due_at is not None
        begin = self.until if self.until < now else self.due_at - 1
        return following(self.schedule, self.since, begin)

    def skip(self, at: int, why: str, count: int = 1) -> Scheduled:
        """Note a time at which nothing is started."""
        return replace(self, skipped=self.skipped + count, skipped_at=at, skipped_why=why)


def bring_up(db: Database, workflow: str, said: Sequence[Schedule], now: int) -> None:
    """Make these the schedules of a workflow.

    One that was there keeps its times. Where the clock was put back since, it is looked at sooner.
    """
    known = {one.schedule: one for one in of_workflow(db, workflow)}
    db.execute("DELETE FROM schedules WHERE workflow = ?", (workflow,))
    for place, schedule in enumerate(said):
        found = known.get(schedule) or Scheduled(workflow, place, schedule, now, now)
        next_at = following(schedule, found.since, now)
        due = [at for at in (found.due_at, next_at) if at is not None]
        _put(db, replace(found, place=place, due_at=min(due, default=None)))


def of_workflow(db: Database, workflow: str) -> list[Scheduled]:
    return [_made(row) for row in sql.query(db, f"{_ALL} WHERE workflow = ? ORDER BY place", workflow)]


def every(db: Database) -> list[Scheduled]:
    """All schedules, by workflow and place."""
    return [_made(row) for row in sql.query(db, f"{_ALL} ORDER BY workflow, place")]


def next_due(db: Database) -> int | None:
    """When the next schedule is due."""
    first = "SELECT min(due_at) FROM schedules INDEXED BY schedules_due WHERE due_at IS NOT NULL"
    due: int | None = db.execute(first).fetchone()[0]
    return due


def due(db: Database, now: int) -> list[tuple[str, int]]:
    """Workflow and place of the schedules that are due, the longest overdue first."""
    overdue = """SELECT workflow, place FROM schedules INDEXED BY schedules_due
                 WHERE due_at IS NOT NULL AND due_at <= ? ORDER BY due_at, workflow, place"""
    return [(row[0], row[1]) for row in db.execute(overdue, (now,))]


def fire(db: Database, workflow: str, place: int, now: int, begin: Callable[[Database, Start], Change]) -> list[Change]:
    """Start what a schedule starts now, and note when it is due next, in the present transaction."""
    row = sql.first_row(db, f"{_ALL} WHERE workflow = ? AND place = ?", workflow, place)
    found = _made(row) if row else None
    if found is None or found.due_at is None or found.due_at > now:
        return []  # deployed anew or undeployed meanwhile
    planned = plan(found.schedule, found.since, found.first_due(now), now)
    found = replace(found, until=now, due_at=planned.next_at, going=_not_over(db, found.going))
    if planned.dropped_at is not None:
        found = found.skip(planned.dropped_at, NO_SERVER, planned.dropped)
    changes: list[Change] = []
    for firing in planned.firings:
        if (why := _in_the_way(found, firing)) is not None:
            found = found.skip(firing.at, why)
            continue
        try:
            change = begin(db, _wish(found, firing))
        except (NoSuchWorkflow, QueueFull) as error:
            found = found.skip(firing.at, str(error))
            continue
        changes.append(change)
        if not found.schedule.overlap:
            found = replace(found, going=(*found.going, change.after.id))
    _put(db, found)
    return changes


def _in_the_way(found: Scheduled, firing: Firing) -> str | None:
    """Why a time starts nothing; those that are made up for one by one do not wait for each other."""
    one_by_one = firing.missed and found.schedule.missed == "all"
    if found.schedule.overlap or one_by_one or not found.going:
        return None
    return f"execution {found.going[-1]} was not over"


def _wish(found: Scheduled, firing: Firing) -> Start:
    trigger = {"type": TYPE, "event": event(found.schedule, firing.at, firing.missed), "by": None}
    return Start(found.workflow, trigger, key=f"{TYPE} {found.place} {firing.at}", limited=True)


def _not_over(db: Database, executions: tuple[str, ...]) -> tuple[str, ...]:
    if not executions:
        return ()
    at_work = """SELECT id FROM executions WHERE id IN (SELECT value FROM json_each(?))
                 AND status IN ('queued', 'running', 'suspended')"""
    left = set(sql.column(db, at_work, dumps(list(executions))))
    return tuple(one for one in executions if one in left)


_ALL = "SELECT workflow, place, said, since, until, due_at, going, skipped, skipped_at, skipped_why FROM schedules"


def _made(row: sql.Row) -> Scheduled:
    schedule = Schedule(**json.loads(row.pop("said")))
    return Scheduled(**{**row, "going": tuple(json.loads(row["going"]))}, schedule=schedule)


def _put(db: Database, found: Scheduled) -> None:
    row = {**vars(found), "going": dumps(list(found.going))}
    row["said"] = dumps(vars(row.pop("schedule")))
    sql.put(db, "schedules", row, ("workflow", "place"))
