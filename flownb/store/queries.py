"""What is asked of the database besides one execution at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flownb.core import links
from flownb.core.model import Action, Attempt, Execution, Json, Pause, PauseKind, Status
from flownb.store import rows, sql
from flownb.store.aggregate import load
from flownb.store.engine import Database
from flownb.store.keys import Key


@dataclass(frozen=True)
class Link:
    """What a token opens; ``branch`` is the alternative, or the approver, that it is for alone."""

    execution: str
    attempt: Attempt
    action: Action
    branch: str | None = None


@dataclass(frozen=True)
class StepOutputs:
    """The outputs of one attempt of a step, in nbformat's own form."""

    attempt: Attempt
    outputs: list[Json]


def link(db: Database, token: str, key: Key) -> Link | None:
    """What the secret of a link opens; None for one that is unknown or altered."""
    said = links.branch(token)
    known = "SELECT execution, action, step, run, attempt FROM links WHERE fingerprint = ?"
    row = db.execute(known, (said.fingerprint if said else links.fingerprint(token),)).fetchone()
    if row is None:
        return None
    found = Link(row[0], Attempt(*row[2:]), Action(row[1]), said.name if said else None)
    if said is not None and not said.is_of(links.token(key.secret, found.execution, found.attempt, found.action)):
        return None
    return found


def next_due(db: Database, after: int = 0) -> int | None:
    """When the next timer fires after a point in time."""
    first = "SELECT min(due_at) FROM executions INDEXED BY executions_due WHERE due_at IS NOT NULL AND due_at > ?"
    due: int | None = db.execute(first, (after,)).fetchone()[0]
    return due


def due(db: Database, now: int, most: int) -> list[str]:
    """Executions whose timers are due, the longest overdue first."""
    overdue = """SELECT id FROM executions INDEXED BY executions_due
                 WHERE due_at IS NOT NULL AND due_at <= ? ORDER BY due_at, seq LIMIT ?"""
    return sql.column(db, overdue, now, most)


def with_status(db: Database, status: Status) -> list[str]:
    return sql.column(db, "SELECT id FROM executions WHERE status = ? ORDER BY seq", status)


def counts(db: Database) -> dict[str, int]:
    """How many executions there are of each status."""
    found = dict(db.execute("SELECT status, count(*) FROM executions GROUP BY status").fetchall())
    return {status: found.get(status, 0) for status in Status}


def unfinished(db: Database) -> tuple[dict[tuple[str, str], int], int]:
    """How many executions are not over, by status and, of those suspended, kind of pause; and the latest change."""
    found: dict[tuple[str, str], int] = {}
    for status in (Status.QUEUED, Status.RUNNING):
        (found[status, ""],) = sql.column(db, "SELECT count(*) FROM executions WHERE status = ?", status)
    found |= {(Status.SUSPENDED, kind): count for kind, count in db.execute(KINDS).fetchall()}
    return found, last_change(db)


KINDS = """
SELECT p.kind, count(*) FROM executions e JOIN pauses p ON p.execution = e.id
WHERE e.status = 'suspended' AND p.kind IS NOT NULL AND p.ended_by IS NULL GROUP BY p.kind
"""


def page(db: Database, *, limit: int, **filters: Any) -> tuple[list[Execution], str | None]:
    """Executions, newest first, and the id to ask for those that come after them; the filters are those of ``ids``."""
    found, following = ids(db, limit=limit, **filters)
    return [execution for id in found if (execution := load(db, id)) is not None], following


def ids(
    db: Database,
    *,
    limit: int,
    status: Status | None = None,
    workflow: str | None = None,
    kind: PauseKind | None = None,
    search: str | None = None,
    before: str | None = None,
) -> tuple[list[str], str | None]:
    """Ids of executions, newest first, and the one to ask for those that come after them.

    ``kind`` is that of the pause which they wait in; ``search`` is text in their id, workflow or notebook.
    """
    conditions: list[str] = []
    values: list[Any] = []
    if before is not None:
        conditions.append("seq < (SELECT seq FROM executions WHERE id = ?)")
        values.append(before)
    if status is not None:
        conditions.append("status = ?")
        values.append(status)
    if workflow is not None:
        conditions.append("workflow = ?")
        values.append(workflow)
    if search:
        found_in = [f"{name} LIKE ? ESCAPE '!'" for name in ("workflow", "notebook", "id")]
        conditions.append(f"({' OR '.join(found_in)})")
        values += [_like(search)] * len(found_in)
    if kind is not None:
        waits = "SELECT 1 FROM pauses p WHERE p.execution = executions.id AND p.kind = ? AND p.ended_by IS NULL"
        conditions.append(f"status = 'suspended' AND EXISTS ({waits})")
        values.append(kind)
    # All that a search looks at is in this index; without it, whole rows would be read.
    index = "INDEXED BY executions_named" if search else ""
    where = " AND ".join(conditions) or "TRUE"
    # The conditions are constants.
    newest = f"SELECT id FROM executions {index} WHERE {where} ORDER BY seq DESC LIMIT ?"  # noqa: S608
    found = sql.column(db, newest, *values, limit + 1)
    return found[:limit], found[limit - 1] if len(found) > limit else None


def _like(text: str) -> str:
    """A pattern that finds ``text`` itself, whatever signs are in it."""
    escaped = re.sub("([!%_])", r"!\1", text)
    return f"%{escaped}%"


def outputs(db: Database, execution_id: str) -> list[StepOutputs]:
    """All outputs of an execution, each step's in the order of its runs."""
    found = sql.query(db, "SELECT * FROM outputs WHERE execution = ? ORDER BY step, run, attempt", execution_id)
    return [StepOutputs(Attempt(row["step"], row["run"], row["attempt"]), json.loads(row["outputs"])) for row in found]


def latest_outputs(db: Database, execution_id: str, steps: Iterable[str]) -> dict[str, list[Json]]:
    """The outputs of the latest attempt of each of these steps; without those that have none yet."""
    latest = "SELECT outputs FROM outputs WHERE execution = ? AND step = ? ORDER BY run DESC, attempt DESC LIMIT 1"
    found = {step: sql.first_row(db, latest, execution_id, step) for step in steps}
    return {step: json.loads(row["outputs"]) for step, row in found.items() if row is not None}


def last_change(db: Database) -> int:
    """The number of the latest entry of the journal; 0 where there is none."""
    return db.execute("SELECT max(seq) FROM journal").fetchone()[0] or 0


def paused_or_ended(db: Database, after: int) -> list[str]:
    """Executions that came to a pause or to their end after a place in the journal."""
    changed = """SELECT DISTINCT execution FROM journal NOT INDEXED
                 WHERE seq > ? AND status IN ('suspended', 'succeeded', 'failed', 'cancelled')"""
    return sql.column(db, changed, after)


def journal(db: Database, after: int, most: int) -> list[dict[str, Any]]:
    """Entries of the journal after a sequence number."""
    entries = """SELECT j.seq, execution, workflow, event, j.status, step, run, j.at
                 FROM journal j JOIN executions e ON e.id = execution WHERE j.seq > ? ORDER BY j.seq LIMIT ?"""
    return sql.query(db, entries, after, most)


def journal_of(db: Database, execution_id: str) -> list[dict[str, Any]]:
    """The journal of one execution, with what each event holds."""
    found = sql.query(db, "SELECT * FROM journal WHERE execution = ? ORDER BY seq", execution_id)
    return [{**row, "detail": json.loads(row["detail"]) if row["detail"] else {}} for row in found]


def pauses(db: Database, execution_id: str) -> list[Pause]:
    """All pauses of an execution, oldest first."""
    every = f"SELECT {rows.PAUSE} FROM pauses WHERE execution = ? ORDER BY seq"  # noqa: S608 - constants
    return [rows.pause(row) for row in db.execute(every, (execution_id,))]
