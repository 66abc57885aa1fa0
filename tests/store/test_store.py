"""Executions on disk: links and requests, the journal, and a pause that ends once."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from flownb.core import events
from flownb.core.links import token
from flownb.core.model import (
    Action,
    Attempt,
    Error,
    Policy,
    Retry,
    Status,
    Step,
    StepStatus,
)
from flownb.core.transitions import Answer, NotNow
from flownb.store import aggregate, queries
from flownb.store.engine import Database
from flownb.store.queries import Link, StepOutputs
from flownb.store.store import Change, NotFound
from flownb.store.writer import StoreError
from tests.store.stored import (
    BEGIN,
    CONTENT,
    KEY,
    SAVED,
    START,
    SUSPEND,
    finished,
    new,
    rerun,
    rows,
    stored,
    suspend,
)
from tests.support.asyncio import in_loop


def contents(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


@in_loop
async def test_links_are_there_as_long_as_somebody_may_have_them(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:

        async def links(step: str) -> set[Link | None]:
            tokens = [token(KEY.secret, "one", Attempt(step, 1, 1), action) for action in Action]
            return {await store.read(partial(queries.link, token=each, key=KEY)) for each in tokens}

        def made(step: str) -> set[Link]:
            return {Link("one", Attempt(step, 1, 1), action) for action in Action}

        await store.play(new(), events.Admitted())
        assert await links("a") == {None}
        await store.apply("one", events.StepStarted())
        assert (await links("a"), await links("b")) == (made("a"), {None})
        await store.play("one", finished())
        assert (await links("a"), await links("b")) == ({None}, made("b"))
        await store.play("one", events.PauseAsked(), finished())
        assert (await links("b"), await links("c")) == (made("b"), made("c"))
        await store.play("one", events.ServerLost(), *BEGIN)
        assert await links("c") == made("c")
        await store.play("one", finished(suspend()))
        assert await links("c") == made("c")


@in_loop
async def test_the_database_knows_no_token_and_an_altered_one_opens_nothing(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        await store.play(new(), *SUSPEND)
        secret = token(KEY.secret, "one", Attempt("a", 1, 1), Action.RESUME)
        for other in ("", secret[:-1], secret + "A", secret.swapcase(), "\udcff"):
            assert await store.read(partial(queries.link, token=other, key=KEY)) is None
    on_disk = contents(tmp_path)
    assert secret.encode() not in on_disk
    assert KEY.secret not in on_disk


@in_loop
async def test_a_link_is_looked_up_where_it_is_used(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        waiting = await store.play(new(), *SUSPEND)
        of = Attempt("a", 1, 1)
        asked: list[Link] = []

        def event(link: Link) -> events.RequestArrived:
            asked.append(link)
            return events.RequestArrived(link.action, {"body": None}, link.attempt)

        def unreadable(link: Link) -> events.RequestArrived:
            raise ValueError("what is this?")

        secret = token(KEY.secret, "one", of, Action.RESUME)
        for unknown, action in ((secret[:-1], Action.RESUME), (secret, Action.CANCEL), ("", Action.RESUME)):
            assert await store.use_link(unknown, action, unreadable) is None
        with pytest.raises(ValueError, match="what is this"):
            await store.use_link(secret, Action.RESUME, unreadable)
        assert await store.get("one") == waiting
        used = await store.use_link(secret, Action.RESUME, event)
        assert used == (Answer(200, "resumed", START), await store.get("one"))
        assert asked == [Link("one", of, Action.RESUME)]
        again = await store.use_link(secret, Action.RESUME, event)
        assert again is not None
        assert again[0].status == "already_resumed"


@in_loop
async def test_a_link_of_an_earlier_run_is_answered_by_what_ended_it(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        await store.play(new(), *BEGIN, events.PauseAsked(), finished(rerun()))
        assert (await store.ask("one", Action.RESUME, Attempt("a", 1, 1))).status == "resumed"
        await store.play("one", *BEGIN, events.PauseAsked(), finished(rerun()))
        store.clock.at += 1_000
        await store.play("one", events.TimerFired(), *BEGIN, events.PauseAsked(), finished(suspend()))
        told = {
            (run, action): await store.ask("one", action, Attempt("a", run, 1))
            for run in (1, 2, 4)
            for action in (Action.RESUME, Action.CANCEL)
        }
        assert told == {
            (1, Action.RESUME): Answer(200, "already_resumed", START),
            (1, Action.CANCEL): Answer(409, "already_resumed", START),
            (2, Action.RESUME): Answer(410, "expired", START + 1_000),
            (2, Action.CANCEL): Answer(410, "expired", START + 1_000),
            (4, Action.RESUME): Answer(410, "expired"),
            (4, Action.CANCEL): Answer(410, "expired"),
        }
        assert (await store.ask("one", Action.CANCEL, Attempt("a", 3, 1))).status == "cancelled"
        assert await store.ask("one", Action.RESUME, Attempt("a", 1, 1)) == Answer(200, "already_resumed", START)


@in_loop
async def test_a_request_that_came_early_outlives_the_pause_of_its_failed_attempt(tmp_path: Path) -> None:
    policy = Policy(retry=Retry(1, first=1_000))
    execution = replace(new(), steps=(Step("a", "cell", policy),))
    async with stored(tmp_path) as store:
        await store.play(execution, *BEGIN, events.PauseAsked())
        assert (await store.ask("one", Action.RESUME, Attempt("a", 1, 1))).code == 202
        waiting = await store.play("one", events.StepFailed(Error("E", "")))
        assert waiting.pause is not None
        assert waiting.pause.wakes_at == START + 1_000
        assert (await store.ask("one", Action.RESUME, Attempt("a", 1, 1))).code == 410
        store.clock.at += 1_000
        assert (await store.play("one", events.TimerFired(), *BEGIN, finished(suspend()))).steps[0].attempts == 2
        assert (await store.ask("one", Action.RESUME, Attempt("a", 1, 1))).code == 410
        assert (await store.ask("one", Action.RESUME, Attempt("a", 1, 2))).status == "resumed"


@in_loop
async def test_events_that_do_not_fit_change_nothing(tmp_path: Path) -> None:
    heard: list[Change] = []
    async with stored(tmp_path) as store:
        before = await store.play(new(), *SUSPEND)
        store.listen(heard.append)
        for unfit in (events.Admitted(), events.TimerFired(), finished(), events.Released()):
            with pytest.raises(NotNow):
                await store.apply("one", unfit)
        with pytest.raises(NotFound):
            await store.apply("nobody", events.Admitted())
        with pytest.raises(NotFound):
            await store.get("nobody")
        with pytest.raises(StoreError):
            await store.create(new(), CONTENT)
        assert (await store.ask("one", Action.RESUME, Attempt("a", 9, 1))).code == 410
        assert (await store.get("one"), heard) == (before, [])


@in_loop
async def test_outputs_are_kept_by_attempt_and_replaced_by_a_repeat(tmp_path: Path) -> None:
    def shown(run: int, text: str) -> StepOutputs:
        return StepOutputs(Attempt("a", run, 1), [{"output_type": "stream", "name": "stdout", "text": text}])

    async with stored(tmp_path) as store:
        await store.play(new(), *BEGIN)
        await store.keep_outputs("one", shown(1, "lost"))
        await store.apply("one", finished(rerun(0)), [shown(1, "\ud800")])
        await store.play("one", events.TimerFired(), *BEGIN)
        await store.apply("one", finished(), [shown(2, "second")])
        kept = await store.read(partial(queries.outputs, execution_id="one"))
        assert kept == [shown(1, "\ud800"), shown(2, "second")]
        with pytest.raises(NotNow):
            await store.apply("one", events.TimerFired(), [shown(2, "never")])
        assert await store.read(partial(queries.outputs, execution_id="one")) == kept


@in_loop
async def test_deleting_leaves_nothing_of_an_execution(tmp_path: Path) -> None:
    def left() -> dict[str, int]:
        tables = ("versions", "executions", "steps", "pauses", "links", "outputs", "journal")
        return {table: rows(store.path, f"SELECT count(*) FROM {table}")[0][0] for table in tables}

    async with stored(tmp_path) as store:
        for name in ("one", "two"):
            await store.play(new(name), *SUSPEND)
            await store.keep_outputs(name, StepOutputs(Attempt("a", 1, 1), []))
        with pytest.raises(NotNow, match="cancel it first"):
            await store.delete("one")
        both = left()
        for name in ("one", "two"):
            await store.ask(name, Action.CANCEL)
        await store.delete("one")
        assert left() == {
            **{table: n // 2 for table, n in both.items()},
            "versions": 1,
            "journal": both["journal"] // 2 + 1,
        }
        known = await store.workflow("v1")
        assert known is not None
        assert known.content == CONTENT
        await store.delete("two")
        assert set(left().values()) == {0}
        with pytest.raises(NotFound):
            await store.delete("one")


@in_loop
async def test_the_journal_is_in_the_order_of_commits_and_so_is_what_listeners_hear(tmp_path: Path) -> None:
    heard: list[Change] = []
    async with stored(tmp_path) as store:
        assert await store.read(queries.last_change) == 0
        stop = store.listen(heard.append)
        names = [f"{n}" for n in range(20)]
        await asyncio.gather(*(store.play(new(name), *SUSPEND) for name in names))
        await asyncio.gather(*(store.ask(name, Action.RESUME) for name in names))
        journal = await store.read(partial(queries.journal, after=0, most=1_000))
        assert [(entry["seq"], entry["execution"], entry["event"], entry["status"]) for entry in journal] == [
            (change.seq, change.after.id, change.event, change.after.status) for change in heard
        ]
        assert [change.seq for change in heard] == sorted({change.seq for change in heard})
        assert await store.read(partial(queries.journal, after=journal[4]["seq"], most=3)) == journal[5:8]
        assert await store.read(queries.last_change) == journal[-1]["seq"]
        for name in names:
            first, *later = (change for change in heard if change.after.id == name)
            assert first.before is None
            for was, change in pairwise((first, *later)):
                assert change.before == replace(was.after, past=())
        stop()
        await store.ask("0", Action.CANCEL)
        assert await store.read(queries.last_change) == journal[-1]["seq"] + 1
        assert heard[-1].seq == journal[-1]["seq"]


@in_loop
async def test_a_pause_ends_once_where_request_and_timer_come_together(tmp_path: Path) -> None:
    chance = random.Random(1)
    won: dict[str, int] = {"request": 0, "timer": 0}
    async with stored(tmp_path) as store:
        await asyncio.gather(*(store.play(new(f"{n}"), *SUSPEND) for n in range(200)))
        store.clock.at += 1_000

        async def race(name: str) -> None:
            asks = chance.random() < 0.5
            both: list[Any] = [store.ask(name, Action.RESUME), store.apply(name, events.TimerFired())]
            told: list[Any] = await asyncio.gather(*(both if asks else both[::-1]), return_exceptions=True)
            answer, fired = told if asks else told[::-1]
            woken = await store.get(name)
            assert (woken.status, woken.at, woken.segments) == (Status.QUEUED, 1, 1)
            if isinstance(fired, NotNow):
                won["request"] += 1
                assert (answer.code, answer.status, woken.resume) == (200, "resumed", {"body": None})
            else:
                won["timer"] += 1
                assert (answer.code, answer.status, woken.resume) == (410, "expired", None)
            claims = (store.apply(name, events.Admitted()) for _ in range(2))
            claimed = await asyncio.gather(*claims, return_exceptions=True)
            assert sorted(type(one).__name__ for one in claimed) == ["Execution", "NotNow"]

        await asyncio.gather(*(race(f"{n}") for n in range(200)))
    assert sum(won.values()) == 200
    assert min(won.values()) > 0
    assert rows(store.path, "SELECT DISTINCT ended_by IS NULL, count(*) FROM pauses") == [(0, 200)]
    assert rows(store.path, "SELECT count(*) FROM journal WHERE status = 'queued' AND event != 'Created'") == [(200,)]


@in_loop
async def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "a b?mode=rw#c%20d"
    folder.mkdir()
    async with stored(folder) as store:
        assert (await store.play(new(), *SUSPEND)).checkpoint == SAVED
        assert (await store.get("one")).steps[0].status is StepStatus.SUSPENDED


@in_loop
async def test_readers_can_change_nothing_and_see_one_moment(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        await store.play(new())
        with pytest.raises(Exception, match="readonly"):
            await store.read(lambda db: db.execute("DELETE FROM executions"))
        loop = asyncio.get_running_loop()

        def twice(db: Database) -> list[Status]:
            first = aggregate.load(db, "one")
            asyncio.run_coroutine_threadsafe(store.apply("one", events.Admitted()), loop).result()
            second = aggregate.load(db, "one")
            assert first is not None
            assert second is not None
            return [first.status, second.status]

        assert await store.read(twice) == [Status.QUEUED, Status.QUEUED]
        assert (await store.get("one")).status is Status.RUNNING
