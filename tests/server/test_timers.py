"""Timers by the thousand: each fires once, in order, and one that cannot costs no other."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from flownb.core.model import Execution, Status
from flownb.server import scheduler
from flownb.server.clock import Clock
from flownb.server.scheduler import Scheduler
from flownb.store.store import Change
from tests.store.stored import BEGIN, START, SUSPEND, Stored, finished, new, of_sqlite, rows, stored, suspend
from tests.support.asyncio import in_loop

MANY = 250


class StillClock(Clock):
    """That of a store, whose scheduler wakes when it is told to."""

    def __init__(self, store: Stored) -> None:
        self._store = store

    def now(self) -> int:
        return self._store.clock.now()

    async def sleep(self, until: int | None, woken: asyncio.Event) -> None:
        if until is None or until > self.now():
            await woken.wait()


@asynccontextmanager
async def scheduling(store: Stored, max_running: int = 2) -> AsyncIterator[Scheduler]:
    """A scheduler at work, whose executions run until the end of the block."""

    async def run(execution: Execution) -> None:
        await asyncio.Event().wait()

    made = Scheduler(store, run, StillClock(store), max_running, logging.getLogger("flownb"))
    working = asyncio.create_task(made.run())
    yield made
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def heard(store: Stored, event: str, count: int) -> list[str]:
    """The executions of the next changes of a kind, in their order."""
    found: list[str] = []
    enough = asyncio.Event()

    def hear(change: Change) -> None:
        if change.event == event:
            found.append(change.after.id)
            if len(found) == count:
                enough.set()

    stop = store.listen(hear)
    await asyncio.wait_for(enough.wait(), 60)
    stop()
    return found


async def make(store: Stored, count: int) -> list[str]:
    """Suspended executions, in the order in which their timers are due."""
    due = {}
    for number in range(count):
        due[f"{number}"] = 1 + number * 7 % count
        await store.play(new(f"{number}"), *BEGIN, finished(suspend(due[f"{number}"])))
    return sorted(due, key=lambda name: due[name])


@in_loop
async def test_all_that_are_due_fire_once_and_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "AT_ONCE", 90)
    monkeypatch.setattr(scheduler, "TOGETHER", 20)
    async with stored(tmp_path) as store:
        in_order = await make(store, MANY)
        async with scheduling(store) as made:
            made.drain(True)
            fired = asyncio.create_task(heard(store, "TimerFired", MANY))
            store.clock.at += MANY
            made.drain(True)  # which wakes it
            assert await fired == in_order
        assert rows(store.path, "SELECT status, count(*) FROM executions GROUP BY status") == [("queued", MANY)]
        assert rows(store.path, "SELECT count(*) FROM journal WHERE event = 'TimerFired'") == [(MANY,)]


@in_loop
async def test_one_that_cannot_fire_holds_up_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with stored(tmp_path) as store:
        names = await make(store, 5)
        with closing(sqlite3.connect(store.path)) as connection:
            connection.execute("UPDATE steps SET policy = 'no JSON' WHERE execution = ?", (names[0],))
            connection.commit()
        store.clock.at += 5
        async with scheduling(store):
            assert await heard(store, "TimerFired", 4) == names[1:]
        assert f"the timer of execution {names[0]} did not fire" in caplog.text
        assert (await store.play(new("later"), *SUSPEND)).status is Status.SUSPENDED


@in_loop
async def test_a_timer_that_is_set_while_the_scheduler_sleeps_is_heard_of(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        async with scheduling(store) as made:
            await store.play(new("late"), *BEGIN, finished(suspend(5_000)))
            assert made.busy
            soon = asyncio.create_task(heard(store, "TimerFired", 1))
            await store.play(new("soon"), *BEGIN, finished(suspend(0)))
            assert await soon == ["soon"]
        assert store.clock.at == START


@in_loop
async def test_those_that_wait_for_a_slot_get_them_together(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        for name in "abcd":
            await store.play(new(name))
        statements: list[Any] = []
        await store._writer.run(lambda db: of_sqlite(db).conn.set_trace_callback(statements.append))
        async with scheduling(store, max_running=3) as made:
            assert sorted(await heard(store, "Admitted", 3)) == ["a", "b", "c"]
            assert made.running == 3
        assert statements.count("COMMIT") <= 2
