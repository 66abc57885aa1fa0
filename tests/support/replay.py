"""What a server left on disk, told again: its journal, played through the rules, must give what its tables hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from flownb.core.events import Event, PauseAsked, RequestArrived, StepFinished
from flownb.core.model import Attempt, Execution, Json, Pause, Step
from flownb.core.transitions import apply
from flownb.store import journal as entries
from flownb.store import queries, sql
from flownb.store.aggregate import load
from flownb.store.engine import ERRORS, Database, Engine
from tests.core.invariants import check
from tests.core.journal import Journal, Key, Move, kept, key, record


@dataclass(frozen=True)
class Entry:
    """A row of the journal."""

    seq: int
    at: int
    event: str
    status: str
    of: tuple[Any, Any, Any]
    detail: dict[str, Any]

    @property
    def told(self) -> Json:
        return self.detail.get("event", {})


@dataclass(frozen=True)
class Told:
    """An execution as its tables have it, and as its journal tells it."""

    execution: Execution
    pauses: dict[Key, Pause]
    journal: Journal


def replay(engine: Engine) -> list[Told]:
    """All executions of a database, whose server may be at work, stopped or killed; checks that all of it agrees."""
    with closing(engine.reading()) as db:
        db.begin_reading()
        try:
            found = sql.column(db, "SELECT id FROM executions ORDER BY seq")
        except ERRORS:  # killed before it had made its tables
            return []
        return [_told_again(db, id) for id in found]


def _told_again(db: Database, execution_id: str) -> Told:
    stored = load(db, execution_id)
    assert stored
    pauses = {key(pause): pause for pause in queries.pauses(db, execution_id)}
    created, *later = [
        Entry(
            row["seq"],
            row["at"],
            row["event"],
            row["status"],
            (row["step"], row["run"], row["attempt"]),
            json.loads(row["detail"] or "{}"),
        )
        for row in _rows(db, "journal", execution_id)
    ]
    first = _initial(stored, created, next((entry.detail["was"] for entry in later if "was" in entry.detail), {}))
    with _named(execution_id, created):
        assert (created.event, created.status) == (entries.CREATED, first.status)
    moves = _played(first, later, pauses)
    _obeys(moves, later)
    last = later[-1] if later else created
    with _named(execution_id, last):
        assert bare(moves[-1].after if moves else first) == bare(stored)
        assert {of: bare(pause) for of, pause in record(moves).items()} == {
            of: bare(pause) for of, pause in pauses.items()
        }
        assert _billed(db, stored) == (stored.compute_ms, stored.suspended_ms, stored.credits)
    return Told(stored, pauses, moves)


def _billed(db: Database, stored: Execution) -> tuple[int, ...]:
    """What the bill has of an execution, which is no less when its segments and steps are added up."""
    whole = "SELECT sum(compute_ms), sum(suspended_ms), sum(credits) FROM usage WHERE execution = ?"
    by_step = "SELECT sum(compute_ms) FROM usage_steps WHERE execution = ?"
    found = [value or 0 for value in db.execute(whole, (stored.id,)).fetchone()]
    assert (db.execute(by_step, (stored.id,)).fetchone()[0] or 0) == found[0]
    return tuple(found)


def _rows(db: Database, table: str, execution_id: str) -> list[dict[str, Any]]:
    return sql.query(db, f"SELECT * FROM {table} WHERE execution = ? ORDER BY seq", execution_id)


def _initial(stored: Execution, created: Entry, was: dict[str, Any]) -> Execution:
    """The execution as it was made: new, but for the steps that its creation says it has behind it.

    ``was`` is what it was pinned to before it first moved to another version, empty where it never did.
    """
    constant = {name: getattr(stored, name) for name in entries.ELSEWHERE}
    begun = entries.revive(Execution, {**constant, **was, "steps": [], **created.told})
    steps = tuple(entries.revive(Step, one) for one in was["steps"]) if was else stored.steps
    rest = tuple(Step(step.name, step.cell_id, step.policy) for step in steps[len(begun.steps) :])
    return replace(begun, steps=(*begun.steps, *rest))


def _played(execution: Execution, later: list[Entry], pauses: dict[Key, Pause]) -> list[Move]:
    moves: list[Move] = []
    drops = list(_drops(later, pauses))
    for entry in later:
        with _named(execution.id, entry):
            assert entry.of == (execution.step.attempt if execution.step else (None, None, None))
            event = _event(entry, drops)
            outcome = apply(execution, event, entry.at)
            moves.append(Move(execution, event, entry.at, outcome))
            assert entry.status == outcome.execution.status
            assert entry.detail.get("answer") == (outcome.answer.status if outcome.answer else None)
            execution = kept(outcome.execution)
    return moves


def _event(entry: Entry, drops: list[Entry]) -> Event:
    """The event; a request that was dropped has nothing to fill a form, which was not known where it came."""
    event = entries.decode(entry.event, entry.told)
    if isinstance(event, PauseAsked) and any(one.of == entry.of and one.seq > entry.seq for one in drops):
        return replace(event, form=None)
    if isinstance(event, RequestArrived) and entry in drops:
        return replace(event, request={"body": None})
    return event


def _drops(later: list[Entry], pauses: dict[Key, Pause]) -> Iterator[Entry]:
    """Requests that had come early and did not fill the form of their pause: another one ended it, or none did.

    What was sent is not in the journal, but this is what it led to.
    """
    waited = {one.of for one in later if one.event == StepFinished.__name__ and one.status == "suspended"}
    for entry in later:
        if entry.event == RequestArrived.__name__ and entry.detail.get("answer") == "accepted":
            pause = pauses[Attempt(*entry.of), False]
            given = pause.approvals.given if pause.approvals else ()
            counted = [one.at for one in (*given, None if entry.of in waited else pause.decision) if one]
            if not counted or (entry.at < counted[-1] and entry.at not in counted):
                yield entry


def _obeys(moves: list[Move], later: list[Entry]) -> None:
    """The invariants hold; if not, the first entry after which they do not is named."""
    try:
        check(moves)
    except AssertionError:
        for place, entry in enumerate(later):
            with _named(moves[0].before.id, entry):
                check(moves[: place + 1])
        raise


@contextmanager
def _named(execution_id: str, entry: Entry) -> Iterator[None]:
    """Whatever goes wrong says where."""
    try:
        yield
    except Exception as error:
        raise AssertionError(f"execution {execution_id}, journal entry {entry}: {error!r}") from error


def bare(value: Any) -> Json:
    """A value as far as the journal tells of it: all but content."""
    return _without_content(entries.encode(value))


def _without_content(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _without_content(found) for name, found in value.items() if name not in entries.CONTENT}
    return [_without_content(one) for one in value] if isinstance(value, list) else value
