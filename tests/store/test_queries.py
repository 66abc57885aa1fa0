"""What is asked of the database besides one execution: in order, without gaps, and by index."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from flownb.core.deployment import Start
from flownb.core.failures import Failure
from flownb.core.model import Action, Attempt, Awaited, Status
from flownb.core.notebook import workflow
from flownb.core.settings import Quota, Settings
from flownb.store import (
    aggregate,
    checkpoints,
    data,
    deployments,
    failures,
    happenings,
    journal,
    lists,
    outbox,
    prunable,
    queries,
    queue,
    schedules,
    servers,
    sql,
    starts,
    usage,
    waits,
)
from flownb.store.engine import Database
from flownb.store.prunable import Keep
from flownb.store.queue import Turn
from flownb.store.sqlite import open_database
from flownb.store.usage import By, Period
from tests.store.stored import (
    BEGIN,
    CONTENT,
    KEY,
    START,
    SUSPEND,
    Stored,
    finished,
    new,
    plans,
    rows,
    stored,
    suspend,
)
from tests.support.asyncio import in_loop


@in_loop
async def test_pages_go_from_new_to_old_without_gaps(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        for number in range(11):
            happenings = SUSPEND if number % 2 else ()
            await store.play(new(f"{number}", workflow="odd" if number % 2 else "even"), *happenings)

        async def pages(limit: int, status: Status | None = None, workflow: str | None = None) -> list[list[str]]:
            found, before = [], None
            while True:
                page, before = await store.read(
                    partial(queries.page, status=status, workflow=workflow, before=before, limit=limit)
                )
                found.append([execution.id for execution in page])
                if before is None:
                    return found

        newest_first = [f"{number}" for number in reversed(range(11))]
        assert await pages(11) == [newest_first]
        assert await pages(4) == [newest_first[:4], newest_first[4:8], newest_first[8:]]
        assert await pages(3, status=Status.SUSPENDED) == [["9", "7", "5"], ["3", "1"]]
        assert await pages(3, workflow="even") == [["10", "8", "6"], ["4", "2", "0"]]
        assert await pages(3, status=Status.QUEUED, workflow="odd") == [[]]
        page = partial(queries.page, status=None, workflow=None, before="nobody", limit=3)
        assert await store.read(page) == ([], None)
        counts = await store.read(queries.counts)
        assert counts == {**dict.fromkeys(Status, 0), Status.QUEUED: 6, Status.SUSPENDED: 5}
        assert await store.read(partial(queries.with_status, status=Status.SUSPENDED)) == ["1", "3", "5", "7", "9"]


@in_loop
async def test_timers_come_in_the_order_in_which_they_are_due(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        assert await store.read(queries.next_due) is None
        for after_ms in (30, 10, 20, 10):
            await store.play(
                new(f"{after_ms}-{len(rows(store.path, 'SELECT 1 FROM executions'))}"),
                *BEGIN,
                finished(suspend(after_ms)),
            )
        assert await store.read(queries.next_due) == START + 10

        async def due(at: int, most: int = 10) -> list[str]:
            return await store.read(partial(queries.due, now=START + at, most=most))

        assert await due(9) == []
        assert await due(10) == ["10-1", "10-3"]
        assert (await due(99), await due(99, 1)) == (["10-1", "10-3", "20-2", "30-0"], ["10-1"])
        await store.ask("10-1", Action.RESUME)
        await store.ask("10-3", Action.CANCEL)
        assert (await store.read(queries.next_due), await due(99)) == (START + 20, ["20-2", "30-0"])


@in_loop
async def test_those_that_were_woken_come_before_those_that_are_new(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        for name in ("new-1", "woken-1", "new-2", "woken-2"):
            await store.play(new(name), *(SUSPEND if "woken" in name else ()))
        for name in ("woken-2", "woken-1"):
            await store.ask(name, Action.RESUME)
        assert await admitted(store, 1) == ["woken-1"]
        assert await admitted(store, 10) == ["woken-2", "new-1", "new-2"]


async def admitted(store: Stored, free: int) -> list[str]:
    given, _ = await store.admit(free, Turn(), {})
    return [execution.id for execution in given]


MANY = 10_000

LIMITED = replace(workflow(CONTENT), settings=Settings(quota=Quota(queued=5)))


async def make_many(folder: Path) -> None:
    """Suspended executions, each due one millisecond after the one before."""
    async with stored(folder) as store:
        await store.play(new("0"), *SUSPEND)

        def multiply(db: Database) -> None:
            numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY - 1}) "
            for table, own in (("executions", "id"), ("steps", "execution"), ("pauses", "execution")):
                names = sorted(sql.columns(db, table) - {"seq"})
                changed = {own: "n.i", "due_at": "due_at + n.i", "wakes_at": "wakes_at + n.i"}
                values = ", ".join(changed.get(name, f'"{name}"') for name in names)
                columns = ", ".join(f'"{name}"' for name in names)
                source = f"SELECT {values} FROM n, {table} WHERE {own} = '0'"
                db.execute(f"{numbers} INSERT INTO {table} ({columns}) {source}")

        await store._writer.run(multiply)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    asyncio.run(make_many(folder))
    return folder


@in_loop
async def test_ten_thousand_suspended_executions_are_paged_and_woken_in_order(many: Path) -> None:
    async with stored(many) as store:
        seen: list[str] = []
        before: str | None = None
        for _ in range(11):
            page, before = await store.read(
                partial(queries.page, status=Status.SUSPENDED, workflow=None, before=before, limit=999)
            )
            seen += [execution.id for execution in page]
            assert all(execution.pause is not None and len(execution.steps) == 3 for execution in page)
        assert (before, seen) == (None, [f"{number}" for number in reversed(range(MANY))])
        assert await store.read(queries.next_due) == START + 1_000
        due = partial(queries.due, now=START + 1_000 + MANY, most=MANY)
        assert await store.read(due) == seen[::-1]
        assert (await store.ask(f"{MANY // 2}", Action.RESUME)).status == "resumed"
        assert await admitted(store, 10) == [f"{MANY // 2}"]


ON_THE_HOT_PATH: dict[str, Callable[[Database], object]] = {
    "next_due": queries.next_due,
    "due": partial(queries.due, now=START, most=100),
    "queue": lambda db: queue.choose(db, 1, START, queue.Turn(), {}, lambda *_: Quota(most=5)),
    "room in a queue": lambda db: starts._demand_room(db, "flow", LIMITED),
    "delivered": lambda db: starts.delivered(db, Start("flow", {}, "key")),
    "deployment": partial(deployments.current, name="flow"),
    "hook": partial(deployments.by_hook, token="unknown"),
    "version": partial(deployments.numbered, name="flow", number=1),
    "versions": partial(deployments.history, name="flow"),
    "unfinished": partial(deployments.unfinished, name="flow"),
    "next schedule": schedules.next_due,
    "schedules that are due": partial(schedules.due, now=START),
    "schedules of a workflow": partial(schedules.of_workflow, workflow="flow"),
    "executions that are not over": lambda db: schedules._not_over(db, ("1", "2")),
    "errors that were told of": partial(failures.held_back, failure=Failure("5", "flow", "a", "E", "", START)),
    "link": partial(queries.link, token="unknown", key=KEY),
    "who waits for an event": partial(waits.waiting, kind=Awaited.EVENT, what="paid"),
    "latest event": lambda db: db.execute(happenings._LATEST, ("paid", START)).fetchall(),
    "event of a key": lambda db: db.execute(happenings._KNOWN, ("paid", "key")).fetchall(),
    "load": partial(aggregate.load, execution_id="5"),
    "load_pause": partial(aggregate.load_pause, execution_id="5", of=Attempt("a", 1, 1)),
    "outputs": partial(queries.outputs, execution_id="5"),
    "what runs of a workflow": partial(servers.running, workflow="flow"),
    "with_status": partial(queries.with_status, status=Status.RUNNING),
    "journal": partial(queries.journal, after=3, most=100),
    "last_change": queries.last_change,
    "latest entry": partial(journal.latest, execution_id="5"),
    "journal_of": partial(queries.journal_of, execution_id="5"),
    "paused_or_ended": partial(queries.paused_or_ended, after=3),
    "pauses": partial(queries.pauses, execution_id="5"),
    "latest_outputs": partial(queries.latest_outputs, execution_id="5", steps=["a"]),
    "latest checkpoint": partial(checkpoints.latest, execution_id="5"),
    "checkpoint of a step": partial(checkpoints.of_step, execution_id="5", step="a"),
    "checkpoints of an execution": partial(checkpoints.of_execution, execution_id="5"),
    "names_used_by": partial(checkpoints.names_used_by, executions=["5"]),
    "links of an execution": lambda db: db.execute("SELECT 1 FROM links WHERE execution = '5'").fetchall(),
    "next message": outbox.next_due,
    "value": partial(data.get, store="s", key="k", now=START),
    "page of values": partial(data.page, store="s", now=START, after="k", limit=2),
    "page of keys": partial(data.keys, store="s", now=START, after="k", limit=2),
    "size of a store": partial(data.size, store="s", now=START),
    "values whose time is over": lambda db: data._remove_expired(db, START),
    "list": partial(lists.page, status=Status.SUSPENDED, before="50", limit=2),
    "inbox": partial(lists.inbox, before="50", limit=2),
    "page": partial(queries.page, status=None, workflow=None, before="50", limit=2),
    "page by status": partial(queries.page, status=Status.SUSPENDED, workflow=None, before="50", limit=2),
    "page by workflow": partial(queries.page, status=None, workflow="flow", before="50", limit=2),
    **{f"usage by {by}": partial(usage.table, by=by, period=Period(), limit=5) for by in By},
    "usage of a workflow": partial(usage.table, by=By.SEGMENT, period=Period(workflow="flow"), limit=5),
    "prunable": partial(prunable.prunable, keep=Keep(1, 1), now=START, most=5),
    "next end": prunable.next_end,
    "total usage": partial(usage.total, period=Period("2026-11-01", "2026-11-30")),
}


INDICES_OF_WHAT_WAITS = ("executions_queue", "outbox_waiting", "schedules_due")

SORTED = (
    "latest checkpoint",
    "checkpoints of an execution",
    "paused_or_ended",
    "total usage",
    "usage of a workflow",
    "unfinished",
)
"""What sorts the few rows of one execution, those that came since the last look, those of some days, or those of one
workflow that are not over."""


@pytest.mark.parametrize("analyzed", [False, True], ids=["fresh", "analyzed"])
@pytest.mark.parametrize("name", ON_THE_HOT_PATH)
def test_the_hot_path_goes_by_index(many: Path, name: str, analyzed: bool) -> None:
    db = open_database(many / "flownb.db", "WAL")
    db.execute("BEGIN")
    if analyzed:
        db.execute("ANALYZE")
    found = plans(db, ON_THE_HOT_PATH[name])
    db.conn.rollback()
    db.close()
    assert found
    # An index that holds nothing but what is asked for may be read from its beginning.
    scanned = [step for step in found if step.startswith("SCAN") and "json_each" not in step]
    assert not [step for step in scanned if step.rpartition(" ")[2] not in INDICES_OF_WHAT_WAITS]
    assert name in SORTED or name.startswith("usage by") or not [step for step in found if "TEMP B-TREE" in step]


@pytest.mark.parametrize("analyzed", [False, True], ids=["fresh", "analyzed"])
def test_counting_reads_a_small_index_and_no_rows(many: Path, analyzed: bool) -> None:
    db = open_database(many / "flownb.db", "WAL")
    db.execute("BEGIN")
    if analyzed:
        db.execute("ANALYZE")
    found = plans(db, queries.counts)
    db.conn.rollback()
    db.close()
    assert found == ["SCAN executions USING COVERING INDEX executions_status"]


def test_what_is_not_over_is_counted_by_index(many: Path) -> None:
    db = open_database(many / "flownb.db", "WAL")
    found = plans(db, queries.unfinished)
    db.close()
    assert all(step.startswith(("SEARCH", "USE TEMP B-TREE FOR GROUP BY")) for step in found[:-1]), found


def test_the_newest_page_is_read_from_the_end_without_sorting(many: Path) -> None:
    db = open_database(many / "flownb.db", "WAL")
    first, *rest = plans(db, partial(queries.page, status=None, workflow=None, before=None, limit=2))
    db.close()
    assert first == "SCAN executions"  # in the order of its key, and no further than the limit
    assert all(step.startswith("SEARCH") for step in rest)


@pytest.mark.parametrize("workflow", [None, "flow"])
def test_errors_are_grouped_from_an_index_of_the_time_that_is_asked_for(many: Path, workflow: str | None) -> None:
    db = open_database(many / "flownb.db", "WAL")
    found = plans(db, partial(failures.groups, since=START, limit=9, workflow=workflow))
    db.close()
    by = "failures_at (at>?)" if workflow is None else "failures_workflow (workflow=? AND at>?)"
    assert f"SEARCH failures USING COVERING INDEX {by}" in found
    assert not [step for step in found if step.startswith("SCAN") and step != "SCAN g"]
