"""A store on a real file, with executions in it, on a clock that stands still until a test moves it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

from flownb.core import events
from flownb.core.model import Action, Attempt, Checkpoint, Execution, Json, PauseKind, Step
from flownb.core.transitions import Answer
from flownb.store.engine import Database
from flownb.store.keys import Key
from flownb.store.sqlite import Sqlite, SqliteConnection
from flownb.store.store import Store

START = 1_800_000_000_000
KEY = Key("first", b"k" * 32)
SAVED = Checkpoint("0.snapshot", "digest", 1)


CONTENT: Json = {
    "cells": [{"id": "cell-a", "cell_type": "code", "source": "1", "metadata": {}, "outputs": []}],
    "metadata": {},
}
"""The notebook of a version, as the store keeps it."""


class StillClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> int:
        return self.at


def new(name: str = "one", steps: int = 3, **fields: Any) -> Execution:
    """An execution with steps ``a``, ``b`` ..., not stored yet."""
    made = tuple(Step(letter, f"cell-{letter}") for letter in "abcdef"[:steps])
    told = {"workflow": "flow", "notebook": "flow.ipynb", "version": "v1", "trigger": {}, "created_at": START}
    return Execution(id=name, steps=made, **{**told, **fields})


def finished(*pauses: events.PauseCall, **exports: Json) -> events.StepFinished:
    return events.StepFinished(exports, SAVED, 10, pauses)


def suspend(after_ms: int = 1_000, **options: Any) -> events.PauseCall:
    return events.PauseCall(PauseKind.SUSPEND, after_ms, **options)


def rerun(after_ms: int = 1_000) -> events.PauseCall:
    return events.PauseCall(PauseKind.RERUN, after_ms, max_retries=10)


BEGIN = (events.Admitted(), events.StepStarted())
SUSPEND = (*BEGIN, events.PauseAsked(), finished(suspend()))


class Stored(Store):
    """A store that is told what happens in few words."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "flownb.db"
        self.clock = StillClock()
        super().__init__(Sqlite(self.path), KEY, self.clock)

    async def play(self, execution: Execution | str, *happenings: events.Event) -> Execution:
        """What becomes of an execution, created where it is new."""
        name = execution if isinstance(execution, str) else (await self.create(execution, CONTENT)).id
        for event in happenings:
            await self.apply(name, event)
        return await self.get(name)

    async def ask(self, execution: str, action: Action, attempt: Attempt | None = None) -> Answer:
        """What somebody is told who uses a link of ``attempt``, or the API."""
        return (await self.request(execution, events.RequestArrived(action, {"body": None}, attempt)))[0]


@asynccontextmanager
async def stored(folder: Path) -> AsyncIterator[Stored]:
    store = Stored(folder)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def of_sqlite(db: Database) -> SqliteConnection:
    assert isinstance(db, SqliteConnection)
    return db


def rows(path: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """What another connection sees."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql, values).fetchall()


@contextmanager
def traced(db: Database) -> Iterator[list[str]]:
    """The statements that a connection runs within the block."""
    statements: list[str] = []
    of_sqlite(db).conn.set_trace_callback(statements.append)
    try:
        yield statements
    finally:
        of_sqlite(db).conn.set_trace_callback(None)


def updates(statements: list[str]) -> list[tuple[str, set[str]]]:
    """Table and columns of each statement that changes a row; of another one, its first words."""
    found = []
    for statement in statements:
        if match := re.match(r"UPDATE (\w+) SET (.*) WHERE ", statement, re.DOTALL):
            found.append((match[1], set(re.findall(r"(?:^|, )(\w+) = ", match[2]))))
        elif match := re.match(r"(INSERT|DELETE|REPLACE)\b.*?(?:INTO|FROM) \W?(\w+)", statement, re.DOTALL):
            found.append((f"{match[1]} {match[2]}", set()))
    return found


def plans(db: Database, query: Callable[[Database], object]) -> list[str]:
    """How SQLite goes about the statements of a query."""
    with traced(db) as statements:
        query(db)
    reads = [statement for statement in statements if statement.lstrip().startswith("SELECT")]
    return [row[-1] for read in reads for row in db.execute(f"EXPLAIN QUERY PLAN {read}")]
