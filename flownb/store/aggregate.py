"""An execution with its steps and its latest pause, read and written as one inside the caller's transaction."""

from __future__ import annotations

import json
from typing import Any

from flownb.core import events, links
from flownb.core.jsonvalue import dumps
from flownb.core.model import Action, Attempt, Execution, Json, Pause, StepStatus
from flownb.core.transitions import due_at
from flownb.store import rows, seals, sql
from flownb.store.engine import Database
from flownb.store.keys import Key

_EXECUTION = f"SELECT {rows.EXECUTION} FROM executions WHERE id = ?"  # noqa: S608 - constants
_STEPS = f"SELECT {rows.STEP} FROM steps WHERE execution = ? ORDER BY place"  # noqa: S608 - constants
_LATEST = f"SELECT {rows.PAUSE} FROM pauses WHERE execution = ? ORDER BY seq DESC LIMIT 1"  # noqa: S608 - constants
_ONE = "execution = ? AND step = ? AND run = ? AND attempt = ? AND linked = ?"
_PAUSE = f"SELECT {rows.PAUSE} FROM pauses WHERE {_ONE}"  # noqa: S608 - constants


def load(db: Database, execution_id: str) -> Execution | None:
    """The execution as the present transaction sees it."""
    row = db.execute(_EXECUTION, (execution_id,)).fetchone()
    if row is None:
        return None
    steps = tuple(map(rows.step, db.execute(_STEPS, (execution_id,))))
    latest = db.execute(_LATEST, (execution_id,)).fetchone()
    return rows.execution(row, steps, rows.pause(latest) if latest else None)


def load_pause(db: Database, execution_id: str, of: Attempt, *, linked: bool = True) -> Pause | None:
    """What the record holds of the pause that the links of an attempt are about, or of the wait for the next one."""
    row = db.execute(_PAUSE, (execution_id, *of, linked)).fetchone()
    return rows.pause(row) if row else None


def insert(db: Database, execution: Execution) -> None:
    sql.insert(db, "executions", {**rows.columns(execution), "due_at": None})
    _insert_steps(db, execution, 0)


def _insert_steps(db: Database, execution: Execution, first: int) -> None:
    for place, step in enumerate(execution.steps[first:], first):
        sql.insert(db, "steps", {"execution": execution.id, "place": place, **rows.columns(step)})


def save(db: Database, before: Execution, after: Execution) -> None:
    """Write what changed."""
    changes = rows.columns(after, before)
    if due_at(before) != due_at(after):
        changes["due_at"] = due_at(after)
    sql.update(db, "executions", changes, "id = ?", after.id)
    for place, (was, step) in enumerate(zip(before.steps, after.steps, strict=False)):
        if was is not step:
            sql.update(db, "steps", rows.columns(step, was), "execution = ? AND place = ?", after.id, place)
    _insert_steps(db, after, len(before.steps))
    if len(after.steps) < len(before.steps):
        db.execute("DELETE FROM steps WHERE execution = ? AND place >= ?", (after.id, len(after.steps)))
    for pause in (*after.past, after.pause):
        if pause is not None and pause is not before.pause:
            _save_pause(db, after.id, pause, before.pause)


def _save_pause(db: Database, execution_id: str, pause: Pause, before: Pause | None) -> None:
    key = _pause_key(execution_id, pause)
    if before is not None and _pause_key(execution_id, before) == key:
        sql.update(db, "pauses", rows.columns(pause, before), _ONE, *key.values())
    else:
        sql.put(db, "pauses", {**key, **rows.columns(pause)}, tuple(key))


def _pause_key(execution_id: str, pause: Pause) -> dict[str, Any]:
    step, run, attempt = pause.of
    return {
        "execution": execution_id,
        "step": step,
        "run": run,
        "attempt": attempt,
        "linked": pause.linked_to(pause.of),
    }


def save_outputs(db: Database, key: Key, execution_id: str, of: Attempt, outputs: list[Json]) -> str:
    """What an attempt of a step has shown, in place of what it showed before a crash; returns its signature."""
    step, run, attempt = of
    row = {"execution": execution_id, "step": step, "run": run, "attempt": attempt}
    written = dumps(outputs)
    mac = seals.sign_outputs(key, of, written)
    sql.put(db, "outputs", {**row, "outputs": written, "mac": mac}, tuple(row))
    return mac


def inherit_outputs(db: Database, replay: Execution) -> dict[str, str]:
    """What the steps behind a replay showed in the execution that it replays; returns the signatures by attempt."""
    copy = """INSERT INTO outputs (execution, step, run, attempt, outputs, mac)
              SELECT ?, step, run, attempt, outputs, mac FROM outputs WHERE execution = ? AND step = ?"""
    for step in replay.steps[: replay.at]:
        db.execute(copy, (replay.id, replay.replay_of, step.name))
    signed = "SELECT step, run, attempt, mac FROM outputs WHERE execution = ? AND mac IS NOT NULL"
    return {Attempt(*of).id: mac for *of, mac in db.execute(signed, (replay.id,))}


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
            "INSERT INTO links VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (links.fingerprint(secret), execution_id, *attempt, action, key.name),
        )


def adopt_links(db: Database, key: Key) -> bool:
    """Make the links that were made with another key known under this one too: those sent before go on working.

    Returns whether there was another.
    """
    note_signing(db, key)
    known = sql.first_row(db, "SELECT value FROM meta WHERE name = 'key'")
    if known is not None and known["value"] == key.name:
        return False
    sql.put(db, "meta", {"name": "key", "value": key.name}, ("name",))
    found = sql.query(db, "SELECT DISTINCT execution, step, run, attempt FROM links WHERE key <> ?", key.name)
    for row in found:
        insert_links(db, key, row["execution"], Attempt(row["step"], row["run"], row["attempt"]))
    return True


def note_signing(db: Database, key: Key) -> None:
    """Put down from which entry of the journal on this key signs, unless that is known."""
    row = sql.first_row(db, "SELECT value FROM meta WHERE name = 'signing'")
    if row is not None and json.loads(row["value"])["key"] == key.name:
        return
    mine = db.execute("SELECT min(seq) FROM journal WHERE key = ?", (key.name,)).fetchone()[0]
    last = db.execute("SELECT max(seq) FROM journal").fetchone()[0]
    since = mine - 1 if mine is not None else last or 0
    value = dumps({"key": key.name, "since": since, "mac": seals.sign_note(key, since)})
    sql.put(db, "meta", {"name": "signing", "value": value}, ("name",))


def drop_unused_links(db: Database, before: Execution, event: events.Event) -> None:
    """The step never asked for its links, so nobody has them."""
    step = before.step
    unused = isinstance(event, events.StepFinished) and not event.pauses
    if step is not None and unused and not step.asked:
        db.execute(
            "DELETE FROM links WHERE execution = ? AND step = ? AND run = ? AND attempt = ?", (before.id, *step.attempt)
        )
