"""An execution from another machine is put down here: its record as it was, signed anew with this folder's key."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

from flownb.core.errors import FlowNBError
from flownb.core.jsonvalue import dumps
from flownb.core.model import Attempt, Execution
from flownb.core.notebook import workflow
from flownb.core.transitions import due_at
from flownb.core.transitions.moving import at_rest
from flownb.store import aggregate, seals, sql
from flownb.store.engine import ERRORS, Database
from flownb.store.keys import Key
from flownb.store.packing import TABLES, CannotImport, Packed

SERIAL = {"executions": "seq", "pauses": "seq", "journal": "seq"}
"""Numbers that are given out here anew."""


class AlreadyHere(FlowNBError):
    """There is an execution of that id, and it has not gone elsewhere."""

    reason = "already_here"


def put_down(db: Database, key: Key, packed: Packed) -> None:
    """All rows of an execution, in the caller's transaction; raises ``AlreadyHere`` or ``CannotImport``."""
    known = aggregate.load(db, packed.execution)
    if known is not None and known.moved_to is None:
        raise AlreadyHere(f"execution {packed.execution} is here already")
    db.execute("DELETE FROM executions WHERE id = ?", (packed.execution,))
    try:
        for table in TABLES:
            for row in packed.rows(table):
                _insert(db, key, packed.execution, table, row)
        execution = aggregate.load(db, packed.execution)
        _demand_whole(db, execution)
        assert execution is not None
        db.execute("UPDATE executions SET due_at = ? WHERE id = ?", (due_at(execution), execution.id))
        _sign(db, key, execution.id)
    except CannotImport:
        raise
    except (*ERRORS, FlowNBError, ValueError, KeyError, TypeError, LookupError) as error:
        raise CannotImport(f"the record in the file makes no execution: {error}") from None


def _insert(db: Database, key: Key, execution_id: str, table: str, row: dict[str, Any]) -> None:
    if table == "links":
        aggregate.insert_links(db, key, execution_id, Attempt(row["step"], row["run"], row["attempt"]))
        return
    if table == "versions":
        pinned = (row["version"], row["content"], row["created_at"])
        db.execute("INSERT INTO versions VALUES (?, ?, ?) ON CONFLICT DO NOTHING", pinned)
        return
    if row["id" if table == "executions" else "execution"] != execution_id:
        raise CannotImport(f"a row of {table} in the file is of another execution")
    if unknown := row.keys() - sql.columns(db, table):
        raise CannotImport(f"{table} has no column {min(unknown)!r} here: the file is of a later version")
    made = {name: value for name, value in row.items() if name != SERIAL.get(table)}
    if table == "usage":  # what ran elsewhere is on the bill there; what ran here before it left is here still
        if not _ours(db, row):
            sql.put(db, table, {**made, "here": 0}, ("execution", "segment"))
    elif table == "usage_steps":
        sql.put(db, table, made, ("execution", "segment", "step"))
    else:
        sql.insert(db, table, made)


def _ours(db: Database, row: dict[str, Any]) -> bool:
    """Whether a segment ran here, before the execution was moved away; the pause behind it has ended elsewhere."""
    change = "UPDATE usage SET suspended_ms = ? WHERE execution = ? AND segment = ? AND here = 1"
    return bool(db.execute(change, (row["suspended_ms"], row["execution"], row["segment"])).rowcount)


def _demand_whole(db: Database, execution: Execution | None) -> None:
    if execution is None or not at_rest(execution) or execution.moved_to is not None:
        raise CannotImport("the file holds no execution that is paused or over")
    path = PurePosixPath(execution.notebook)
    if path.is_absolute() or ".." in path.parts:
        raise CannotImport(f"the notebook {execution.notebook!r} is outside of the root folder")
    row = sql.first_row(db, "SELECT content FROM versions WHERE version = ?", execution.version)
    pinned = workflow(json.loads(row["content"])) if row else None
    if pinned is None or pinned.version != execution.version:
        raise CannotImport("the notebook in the file is not the one that the execution is pinned to")
    if [step.name for step in execution.steps] != [step.name for step in pinned.steps]:
        raise CannotImport("the steps in the file are not those of the notebook")


def _sign(db: Database, key: Key, execution_id: str) -> None:
    """Every entry and output with this folder's key: from now on nobody alters them unseen."""
    macs: dict[str, tuple[str | None, str]] = {}
    for row in sql.query(db, "SELECT * FROM outputs WHERE execution = ?", execution_id):
        of = Attempt(row["step"], row["run"], row["attempt"])
        macs[of.id] = row["mac"], seals.sign_outputs(key, of, row["outputs"])
        where = "execution = ? AND step = ? AND run = ? AND attempt = ?"
        sql.update(db, "outputs", {"mac": macs[of.id][1]}, where, execution_id, *of)
    before = ""
    for entry in sql.query(db, "SELECT * FROM journal WHERE execution = ? ORDER BY seq", execution_id):
        said = json.loads(entry["seal"] or "{}")
        for of_id, mac in said.get("outputs", {}).items():
            was, is_ = macs.get(of_id, (None, ""))
            said["outputs"][of_id] = is_ if was == mac else mac
        signed = {**entry, "key": key.name, "seal": dumps(said) if said else None}
        before = seals.sign(key, before, signed)
        changes = {"key": key.name, "seal": signed["seal"], "mac": before}
        sql.update(db, "journal", changes, "seq = ?", entry["seq"])
