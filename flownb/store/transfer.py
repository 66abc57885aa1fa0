"""A whole record from one database to another, as it is."""

from __future__ import annotations

from contextlib import closing

from flownb.core.errors import FlowNBError
from flownb.store import sql
from flownb.store.engine import ERRORS, Connection, Engine
from flownb.store.keys import Key
from flownb.store.verify import verify

NUMBERED = ("executions", "pauses", "journal", "outbox", "happenings")
"""Tables that number their rows: what was given out once is not given out again."""

TABLES = (
    *("meta", "versions", "executions", "steps", "pauses", "links", "outputs", "journal", "checkpoints", "outbox"),
    *("deployments", "deployed", "hooks", "deliveries", "usage", "usage_steps", "data", "schedules", "watched_files"),
    *("waits", "happenings", "failures"),
)
"""All that is taken along, in the order in which it can be put down; who is at work is not."""


class CannotTransfer(FlowNBError):
    """Nothing was changed, neither here nor there."""

    reason = "cannot_transfer"


def transfer(source: Engine, target: Engine, key: Key) -> dict[str, int]:
    """Copy everything in one transaction; returns how many rows each table has.

    Nobody else writes to either meanwhile. Raises ``CannotTransfer`` where a server is at work on one of them, where
    the target has something, or where the copy does not verify as the source does.
    """
    try:
        with closing(source.writing()) as before, closing(target.writing()) as after:
            for db, engine in ((before, source), (after, target)):
                db.begin_writing()
                if db.at_work():
                    raise CannotTransfer(f"a server is at work on {engine}: stop it first")
            _demand_empty(after, target)
            copied = {table: _copy(before, after, table) for table in TABLES}
            for table in NUMBERED:
                after.count_from(table, before.counted(table))
            _demand_same(before, after, key, copied)
            after.commit()
            before.rollback()
            return copied
    except ERRORS as error:
        raise CannotTransfer(f"{source} cannot be copied to {target}: {error}") from None


def _demand_empty(db: Connection, target: Engine) -> None:
    for table in TABLES:
        if table != "meta" and sql.first_row(db, f"SELECT 1 AS one FROM {table} LIMIT 1"):  # noqa: S608 - constants
            raise CannotTransfer(f"{target} is not empty: its table {table} has rows")
    db.execute("DELETE FROM meta")


def _copy(before: Connection, after: Connection, table: str) -> int:
    names = sorted(sql.columns(before, table))
    if set(names) != sql.columns(after, table):
        raise CannotTransfer(f"the table {table} has other columns there")
    order = "ORDER BY seq" if table in NUMBERED else ""
    count = 0
    for row in before.stream(f"SELECT {', '.join(names)} FROM {table} {order}"):  # noqa: S608 - constants
        sql.insert(after, table, dict(zip(names, row, strict=True)))
        count += 1
    return count


def _demand_same(before: Connection, after: Connection, key: Key, copied: dict[str, int]) -> None:
    for table, count in copied.items():
        (found,) = sql.column(after, f"SELECT count(*) FROM {table}")  # noqa: S608 - constants
        if found != count:
            raise CannotTransfer(f"{count} rows of {table} were copied, and {found} are there")
    for execution in sql.column(before, "SELECT id FROM executions ORDER BY seq"):
        if verify(before, key, execution) != verify(after, key, execution):
            raise CannotTransfer(f"execution {execution} does not verify there as it does here")
