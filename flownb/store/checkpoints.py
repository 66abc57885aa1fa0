"""The checkpoints of an execution: of each step the latest, with what it says of the variables."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from flownb.core.jsonvalue import dumps
from flownb.core.model import Checkpoint, Json
from flownb.store import sql
from flownb.store.engine import Database


@dataclass(frozen=True)
class StepCheckpoint:
    """The namespace as a run of a step left it.

    ``stored`` counts the bytes that had to be written for it, ``blobs`` names those in use. ``variables`` is the plan:
    what became of each; ``modules`` are the local ones with their digests, ``packages`` the versions it was made with;
    ``ms`` is the time it took, where it has just been made.
    """

    step: str
    run: int
    checkpoint: Checkpoint
    stored: int = 0
    blobs: tuple[str, ...] = ()
    variables: tuple[Json, ...] = ()
    modules: dict[str, Json] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    at: int = 0
    ms: int = 0


def save(db: Database, execution_id: str, kept: StepCheckpoint, at: int) -> None:
    """Note a checkpoint in place of the step's earlier one."""
    row = {
        "execution": execution_id,
        "step": kept.step,
        "run": kept.run,
        "at": at,
        "file": kept.checkpoint.file,
        "digest": kept.checkpoint.digest,
        "size": kept.checkpoint.size,
        "why": kept.checkpoint.why,
        "stored": kept.stored,
        "blobs": dumps(kept.blobs),
        "variables": dumps(kept.variables),
        "modules": dumps(kept.modules),
        "packages": dumps(kept.packages),
    }
    sql.put(db, "checkpoints", row, ("execution", "step"))


def of_step(db: Database, execution_id: str, step: str) -> StepCheckpoint | None:
    """The latest checkpoint of a step."""
    row = sql.first_row(db, "SELECT * FROM checkpoints WHERE execution = ? AND step = ?", execution_id, step)
    return _read(row) if row else None


def latest(db: Database, execution_id: str) -> StepCheckpoint | None:
    """The latest checkpoint of an execution."""
    row = sql.first_row(db, "SELECT * FROM checkpoints WHERE execution = ? ORDER BY at DESC LIMIT 1", execution_id)
    return _read(row) if row else None


def of_execution(db: Database, execution_id: str) -> list[StepCheckpoint]:
    """All checkpoints of an execution, oldest first."""
    found = sql.query(db, "SELECT * FROM checkpoints WHERE execution = ? ORDER BY at", execution_id)
    return [_read(row) for row in found]


def names_used_by(db: Database, executions: Iterable[str]) -> dict[str, set[str]]:
    """Of each of these executions the names of its checkpoint files and blobs."""
    found: dict[str, set[str]] = {execution: set() for execution in executions}
    kept = "SELECT file, blobs FROM checkpoints WHERE execution = ? AND file IS NOT NULL"
    for execution, names in found.items():
        for file, blobs in db.execute(kept, (execution,)):
            names.update((file, *json.loads(blobs)))
    return found


def kept_after_their_end(db: Database) -> list[tuple[int, str]]:
    """When each execution ended that is over and still has checkpoints, and its id, in that order."""
    ended = """SELECT DISTINCT e.finished_at, e.id FROM checkpoints c INDEXED BY checkpoints_kept
             JOIN executions e ON e.id = c.execution
             WHERE c.file IS NOT NULL AND e.finished_at IS NOT NULL ORDER BY e.finished_at"""
    return [(row["finished_at"], row["id"]) for row in sql.query(db, ended)]


def drop(db: Database, execution_id: str, why: str) -> None:
    """Note that the files of an execution's checkpoints are gone."""
    db.execute("UPDATE checkpoints SET file = NULL, why = ? WHERE execution = ?", (why, execution_id))


def _read(row: dict[str, Any]) -> StepCheckpoint:
    return StepCheckpoint(
        step=row["step"],
        run=row["run"],
        checkpoint=Checkpoint(row["file"], row["digest"], row["size"], row["why"]),
        stored=row["stored"],
        blobs=tuple(json.loads(row["blobs"])),
        variables=tuple(json.loads(row["variables"])),
        modules=json.loads(row["modules"]),
        packages=json.loads(row["packages"]),
        at=row["at"],
    )
