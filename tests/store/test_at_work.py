"""An execution that runs is not read anew at each step, and yet every rule decides on what is on disk."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from flownb.core import events
from flownb.core.model import Action, Error, Execution, Policy, Retry, Status, Step
from flownb.store import aggregate, journal
from flownb.store.at_work import AtWork
from flownb.store.engine import Database
from flownb.store.sqlite import SqliteConnection
from tests.store.stored import BEGIN, CONTENT, SUSPEND, Stored, finished, new, of_sqlite, rerun, stored, suspend, traced
from tests.support.asyncio import in_loop

STORY: tuple[events.Event, ...] = (
    *SUSPEND,
    events.RequestArrived(Action.RESUME, {"body": [1.5, None]}),
    *BEGIN,
    events.PauseAsked(),
    events.StepFailed(Error("E", "first", ("line",))),
    events.TimerFired(),
    *BEGIN,
    finished(rerun(), rows=[1, 2]),
    events.TimerFired(),
    *BEGIN,
    finished(),
    events.ServerLost(),
    *BEGIN,
    finished(suspend(on_timeout="error")),
    events.TimerFired(),
)


@in_loop
async def test_what_is_kept_in_memory_is_what_is_on_disk(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        steps = tuple(Step(name, f"cell-{name}", Policy(retry=Retry(3))) for name in "abc")
        await store.create(new(steps=3), CONTENT)
        await store.create(Execution(**{**vars(new("two")), "steps": steps}), CONTENT)

        def both(db: Database) -> tuple[Execution | None, Execution | None]:
            return store._at_work.load(db, "two", journal.latest(db, "two").seq), aggregate.load(db, "two")

        for event in STORY:
            store.clock.at += 2_000
            if isinstance(event, events.RequestArrived):
                await store.request("two", event)
            else:
                await store.apply("two", event)
            kept, on_disk = await store._writer.run(both)
            assert kept == on_disk
            assert repr(kept) == repr(on_disk)


@in_loop
async def test_a_step_of_an_execution_that_runs_reads_none_of_its_rows(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        await store.play(new(), *BEGIN)
        assert await reads(store, finished()) == [journal.LATEST.replace("?", "'one'")]
        assert len(await reads(store, finished(suspend()))) == 1
        assert len(await reads(store, events.RequestArrived(Action.CANCEL))) > 1, "what waits is not kept in memory"


async def reads(store: Stored, event: events.Event) -> list[str]:
    """What the writer reads for an event, besides who is at work."""
    statements: list[str] = []
    await store._writer.run(lambda db: of_sqlite(db).conn.set_trace_callback(statements.append))
    await store.apply("one", event)
    await store._writer.run(lambda db: of_sqlite(db).conn.set_trace_callback(None))
    return [one for one in statements if one.startswith("SELECT") and "servers" not in one]


@in_loop
async def test_what_was_rolled_back_is_not_believed(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        running = await store.play(new(), *BEGIN)
        with pytest.raises(RuntimeError):
            await store._writer.run(partial(spoil, store))
        assert await store.get("one") == running
        assert (await store.apply("one", events.PauseAsked())).steps[0].exports == {}
        assert (await store.apply("one", finished(kept=True))).steps[0].exports == {"kept": True}


def spoil(store: Stored, db: Database) -> None:
    """A step's end that comes to nothing, after it was written."""
    store.transition(db, "one", finished(lost=True))
    raise RuntimeError


def test_an_entry_that_is_not_the_latest_is_of_no_use(tmp_path: Path) -> None:
    at_work = AtWork()
    at_work.keep(7, Execution(**{**vars(new()), "status": Status.RUNNING}))
    db = SqliteConnection(memory=True)
    for table in ("executions", "steps", "pauses"):
        db.execute(f"CREATE TABLE {table} AS SELECT 1 AS one")
    with traced(db) as statements:
        assert at_work.load(db, "one", 7) is not None
        assert statements == []
    with pytest.raises(Exception, match="no such column"):
        at_work.load(db, "one", 8)
    db.close()
