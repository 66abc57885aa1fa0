"""An execution with its steps and its latest pause, read and written as one inside the caller's transaction."""

from __future__ import annotations

from typing import Any

from sqlite_utils import Database

from flownb.core import events, links
from flownb.core.jsonvalue import dumps
from flownb.core.model import Action, Attempt, Execution, Json, Pause, StepStatus
from flownb.core.transitions import due_at
from flownb.store import rows
from flownb.store.keys import Key

_PAUSE = "execution = ? AND step = ? AND run = ? AND attempt = ? AND linked = ?"


def first_row(db: Database, sql: str, *parameters: Any) -> dict[str, Any] | None:
    return next(iter(db.query(sql, parameters)), None)


def load(db: Database, execution_id: str) -> Execution | None:
    """The execution as the present transaction sees it."""
    row = first_row(db, "SELECT * FROM executions WHERE id = ?", execution_id)
    if row is None:
        return None
    found = db.query("SELECT * FROM steps WHERE execution = ? ORDER BY place", (execution_id,))
    steps = tuple(rows.step(step) for step in found)
    latest = first_row(db, "SELECT * FROM pauses WHERE execution = ? ORDER BY rowid DESC LIMIT 1", execution_id)
    return rows.execution(row, steps, rows.pause(latest) if latest else None)


def load_pause(db: Database, execution_id: str, of: Attempt, *, linked: bool = True) -> Pause | None:
    """What the record holds of the pause that the links of an attempt are about, or of the wait for the next one."""
    row = first_row(db, f"SELECT * FROM pauses WHERE {_PAUSE}", execution_id, *of, linked)  # noqa: S608 - a constant
    return rows.pause(row) if row else None


def insert(db: Database, execution: Execution) -> None:
    db.table("executions").insert({**rows.columns(execution), "due_at": None})
    db.table("steps").insert_all(
        {"execution": execution.id, "place": place, **rows.columns(step)} for place, step in enumerate(execution.steps)
    )


def save(db: Database, before: Execution, after: Execution) -> None:
    """Write what changed."""
    changes = rows.columns(after, before)
    if due_at(before) != due_at(after):
        changes["due_at"] = due_at(after)
    _update(db, "executions", changes, "id = ?", after.id)
    for place, (was, step) in enumerate(zip(before.steps, after.steps, strict=True)):
        if was is not step:
            _update(db, "steps", rows.columns(step, was), "execution = ? AND place = ?", after.id, place)
    for pause in (*after.past, after.pause):
        if pause is not None and pause is not before.pause:
            _save_pause(db, after.id, pause)


def _update(db: Database, table: str, changes: dict[str, Any], where: str, *key: Any) -> None:
    if changes:
        names = ", ".join(f"{name} = ?" for name in changes)
        # Table and columns are names of ours, values are bound.
        db.execute(f"UPDATE {table} SET {names} WHERE {where}", (*changes.values(), *key))  # noqa: S608


def _save_pause(db: Database, execution_id: str, pause: Pause) -> None:
    step, run, attempt = pause.of
    key = {"execution": execution_id, "step": step, "run": run, "attempt": attempt, "linked": pause.linked_to(pause.of)}
    db.table("pauses").upsert({**key, **rows.columns(pause)}, pk=tuple(key))


def save_outputs(db: Database, execution_id: str, of: Attempt, outputs: list[Json]) -> None:
    """What an attempt of a step has shown, in place of what it showed before a crash."""
    step, run, attempt = of
    key = {"execution": execution_id, "step": step, "run": run, "attempt": attempt}
    db.table("outputs").upsert({**key, "outputs": dumps(outputs)}, pk=tuple(key))


def inherit_outputs(db: Database, replay: Execution) -> None:
    """What the steps behind a replay showed in the execution that it replays."""
    sql = "INSERT INTO outputs SELECT ?, step, run, attempt, outputs FROM outputs WHERE execution = ? AND step = ?"
    for step in replay.steps[: replay.at]:
        db.execute(sql, (replay.id, replay.replay_of, step.name))


def attempt_begun(before: Execution | None, after: Execution) -> Attempt | None:
    """The attempt whose step starts with this change: its links must be there first."""
    step = after.step
    if step is None or step.status is not StepStatus.RUNNING:
        return None
    was = before.step if before is not None else None
    same = was is not None and was.status is StepStatus.RUNNING and was.attempt == step.attempt
    return None if same else step.attempt


def insert_links(db: Database, key: Key, execution_id: str, attempt: Attempt) -> None:
    """The links of an attempt; where it is repeated after a crash, they are there already."""
    for action in Action:
        secret = links.token(key.secret, execution_id, attempt, action)
        db.execute(
            "INSERT OR IGNORE INTO links VALUES (?, ?, ?, ?, ?, ?, ?)",
            (links.fingerprint(secret), execution_id, *attempt, action, key.name),
        )


def adopt_links(db: Database, key: Key) -> None:
    """Make the links that were made with another key known under this one too: those sent before go on working."""
    known = first_row(db, "SELECT value FROM meta WHERE name = 'key'")
    if known is not None and known["value"] == key.name:
        return
    db.table("meta").upsert({"name": "key", "value": key.name}, pk="name")
    rows = db.query("SELECT DISTINCT execution, step, run, attempt FROM links WHERE key <> ?", (key.name,))
    for row in list(rows):
        insert_links(db, key, row["execution"], Attempt(row["step"], row["run"], row["attempt"]))


def drop_unused_links(db: Database, before: Execution, event: events.Event) -> None:
    """The step never asked for its links, so nobody has them."""
    step = before.step
    unused = isinstance(event, events.StepFinished) and not event.pauses
    if step is not None and unused and not step.asked:
        db.execute(
            "DELETE FROM links WHERE execution = ? AND step = ? AND run = ? AND attempt = ?", (before.id, *step.attempt)
        )
