"""Servers at work on this store, and which of them runs what.

A server joins before its first transaction and is on the list in each of them, or commits nothing: one that was taken
for dead, and is not, does no harm. What ran on a server that is not on the list any more is taken over by another.
"""

from __future__ import annotations

import json

from flownb.core.errors import FlowNBError
from flownb.core.jsonvalue import dumps
from flownb.core.model import Execution, Status
from flownb.store import sql
from flownb.store.engine import Database


def join_alone(db: Database) -> int:
    """A server comes that owns the whole store: all before it are gone. Returns its number, which none had before."""
    db.execute("DELETE FROM servers")
    return sql.insert_numbered(db, "servers", {"owner": "{}", "beat_at": 0}, "id")


NOW = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
"""In Postgres: its own time, in milliseconds, so that the clocks of the servers do not matter."""


class AnotherKey(FlowNBError):
    """The servers at work make their links with a key that this one does not have."""

    reason = "another_key"


def join(db: Database, key: str) -> int:
    """A server comes to those that share the store; returns its number. ``key`` is the name of its key.

    Raises ``AnotherKey``: links made by one server would be unknown to the others.
    """
    owner = dumps({"key": key})
    if others := db.execute("SELECT owner FROM servers WHERE owner <> ?", (owner,)).fetchone():
        raise AnotherKey(
            f"the servers at work on it have the key {json.loads(others[0]).get('key')!r}, and this one has {key!r}: "
            "give it a copy of their key.json"
        )
    made = db.execute(f"INSERT INTO servers (owner, beat_at) VALUES (?, {NOW}) RETURNING id", (owner,))  # noqa: S608
    return int(made.fetchone()[0])


def leave(db: Database, server: int) -> None:
    """A server goes; what it still runs is abandoned."""
    db.execute("DELETE FROM servers WHERE id = ?", (server,))


def beat(db: Database, server: int, lease: float) -> tuple[int, ...]:
    """A sign of life; takes those off the list that gave none for ``lease`` seconds. Returns who is on it, in order."""
    db.execute(f"UPDATE servers SET beat_at = {NOW} WHERE id = ?", (server,))  # noqa: S608
    gone = f"DELETE FROM servers WHERE beat_at < {NOW} - ?"  # noqa: S608
    db.execute(gone, (round(lease * 1000),))
    return tuple(sql.column(db, "SELECT id FROM servers ORDER BY id"))


def at_work(db: Database, server: int) -> bool:
    """Whether a server is on the list."""
    return db.execute("SELECT 1 FROM servers WHERE id = ?", (server,)).fetchone() is not None


def note(db: Database, server: int, before: Execution | None, after: Execution) -> None:
    """Keep who runs an execution, from its admission until it gives its slot back."""
    was, runs = (one is not None and one.status is Status.RUNNING for one in (before, after))
    if runs and not was:
        sql.put(db, "claims", {"execution": after.id, "server": server}, ("execution",))
    elif was and not runs:
        db.execute("DELETE FROM claims WHERE execution = ?", (after.id,))


ABANDONED = """
SELECT e.id FROM executions e WHERE e.status = 'running' AND NOT EXISTS (
    SELECT 1 FROM claims c CROSS JOIN servers s WHERE c.execution = e.id AND s.id = c.server
)
"""


def abandoned(db: Database) -> list[str]:
    """Executions that ran on a server which is at work no more, in the order in which they were created."""
    return sql.column(db, f"{ABANDONED} ORDER BY e.seq")


def is_abandoned(db: Database, execution: str) -> bool:
    """Whether nobody runs an execution that is said to run."""
    return bool(sql.column(db, f"{ABANDONED} AND e.id = ?", execution))


def running(db: Database, workflow: str) -> list[str]:
    """The executions of a workflow that hold a slot, on whatever server."""
    return sql.column(db, "SELECT id FROM executions WHERE status = 'running' AND workflow = ?", workflow)
