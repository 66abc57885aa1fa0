"""The checkpoints of an execution: of each step the latest, with what it says of the variables."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sqlite_utils import Database

from flownb.core.jsonvalue import dumps
from flownb.core.model import Checkpoint, Json
from flownb.store.aggregate import first_row


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
    db.table("checkpoints").upsert(row, pk=("execution", "step"))


def of_step(db: Database, execution_id: str, step: str) -> StepCheckpoint | None:
    """The latest checkpoint of a step."""
    row = first_row(db, "SELECT * FROM checkpoints WHERE execution = ? AND step = ?", execution_id, step)
    return _read(row) if row else None


def latest(db: Database, execution_id: str) -> StepCheckpoint | None:
    """The latest checkpoint of an execution."""
    row = first_row(db, "SELECT * FROM checkpoints WHERE execution = ? ORDER BY at DESC LIMIT 1", execution_id)
    return _read(row) if row else None


def of_execution(db: Database, execution_id: str) -> list[StepCheckpoint]:
    """All checkpoints of an execution, oldest first."""
    sql = "SELECT * FROM checkpoints WHERE execution = ? ORDER BY at"
    return [_read(row) for row in db.query(sql, (execution_id,))]


def names_in_use(db: Database) -> dict[str, set[str]]:
    """Of every execution that has any, the names of its checkpoint files and blobs."""
    found: dict[str, set[str]] = {}
    sql = "SELECT execution, file, blobs FROM checkpoints INDEXED BY checkpoints_kept WHERE file IS NOT NULL"
    for row in db.query(sql):
        found.setdefault(row["execution"], set()).update(_names(row))
    return found


def names_used_by(db: Database, execution_id: str) -> set[str]:
    """The same of one execution."""
    sql = "SELECT file, blobs FROM checkpoints WHERE execution = ? AND file IS NOT NULL"
    return {name for row in db.query(sql, (execution_id,)) for name in _names(row)}


def _names(row: dict[str, Any]) -> list[str]:
    return [row["file"], *json.loads(row["blobs"])]


def kept_after_their_end(db: Database) -> list[tuple[int, str]]:
    """When each execution ended that is over and still has checkpoints, and its id, in that order."""
    sql = """SELECT DISTINCT e.finished_at, e.id FROM checkpoints c INDEXED BY checkpoints_kept
             JOIN executions e ON e.id = c.execution
             WHERE c.file IS NOT NULL AND e.finished_at IS NOT NULL ORDER BY e.finished_at"""
    return [(row["finished_at"], row["id"]) for row in db.query(sql)]


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
