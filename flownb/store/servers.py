"""Servers at work on this store, and which of them runs what.

A server joins before its first transaction and is on the list in each of them, or commits nothing: one that was taken
for dead, and is not, does no harm. What ran on a server that is not on the list any more is taken over by another.
"""

from __future__ import annotations

from flownb.core.model import Execution, Status
from flownb.store import sql
from flownb.store.engine import Database


def join_alone(db: Database) -> int:
    """A server comes that owns the whole store: all before it are gone. Returns its number, which none had before."""
    db.execute("DELETE FROM servers")
    return sql.insert_numbered(db, "servers", {"owner": "{}", "beat_at": 0}, "id")


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
