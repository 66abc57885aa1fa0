"""Which executions are over and kept no longer, by what the settings say."""

from __future__ import annotations

from dataclasses import dataclass

from flownb.core.durations import DAY
from flownb.store import lists, sql
from flownb.store.engine import Database


@dataclass(frozen=True)
class Keep:
    """For how many days after its end an execution is kept, how many of each workflow, in how many bytes; 0 for all."""

    days: float = 0
    executions: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Prunable:
    """An execution that may go, and by which rule: ``days``, ``executions`` or ``bytes``; ``size`` is rough."""

    execution: str
    workflow: str
    finished_at: int
    why: str
    size: int


_BY_AGE = """SELECT id, workflow, finished_at FROM executions INDEXED BY executions_finished
             WHERE finished_at IS NOT NULL AND finished_at <= ? ORDER BY finished_at LIMIT ?"""
_BY_COUNT = """SELECT id, workflow, finished_at FROM executions INDEXED BY executions_ended
               WHERE workflow = ? AND finished_at IS NOT NULL ORDER BY finished_at DESC LIMIT ? OFFSET ?"""
_SIZE = """SELECT (SELECT coalesce(sum(stored), 0) FROM checkpoints WHERE execution = ? AND file IS NOT NULL)
                + (SELECT coalesce(sum(length(outputs)), 0) FROM outputs WHERE execution = ?)
                + (SELECT coalesce(sum(length(exports)), 0) FROM steps WHERE execution = ?)
                + (SELECT coalesce(sum(length(detail) + 200), 0) FROM journal WHERE execution = ?)"""
_SNAPSHOTS = "SELECT coalesce(sum(stored), 0) FROM checkpoints INDEXED BY checkpoints_kept WHERE file IS NOT NULL"


def prunable(db: Database, keep: Keep, now: int, most: int) -> list[Prunable]:
    """At most so many of them, those first that ended first. What runs, waits or is queued is never among them."""
    found: dict[str, tuple[str, int, str]] = {}
    if keep.days:
        _note(found, db.execute(_BY_AGE, (now - round(keep.days * DAY), most)).fetchall(), "days")
    if keep.executions:
        for name in lists.names(db):
            _note(found, db.execute(_BY_COUNT, (name, most, keep.executions)).fetchall(), "executions")
    oldest = sorted(found.items(), key=lambda one: one[1][1])[:most]
    pruned = [Prunable(id, name, at, why, size(db, id)) for id, (name, at, why) in oldest]
    return pruned or _too_large(db, keep, now, most)


def _note(found: dict[str, tuple[str, int, str]], rows: list[tuple[str, str, int]], why: str) -> None:
    for id, workflow, at in rows:
        found.setdefault(id, (workflow, at, why))


def _too_large(db: Database, keep: Keep, now: int, most: int) -> list[Prunable]:
    excess = total(db) - keep.bytes if keep.bytes else 0
    pruned = []
    for id, name, at in db.execute(_BY_AGE, (now, most)).fetchall() if excess > 0 else ():
        pruned.append(Prunable(id, name, at, "bytes", size(db, id)))
        excess -= pruned[-1].size
        if excess <= 0:
            break
    return pruned


def size(db: Database, execution_id: str) -> int:
    """What an execution takes, roughly, in bytes."""
    return int(db.execute(_SIZE, (execution_id,) * 4).fetchone()[0])


def total(db: Database) -> int:
    """What the database and the snapshots take, roughly, in bytes."""
    return db.size() + int(db.execute(_SNAPSHOTS).fetchone()[0])


def next_end(db: Database) -> int | None:
    """When the execution ended that ended first of those that are there."""
    first = sql.column(db, _BY_AGE.replace("SELECT id, workflow, finished_at", "SELECT finished_at"), 2**62, 1)
    return first[0] if first else None
