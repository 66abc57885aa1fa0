"""Callers who wait: no more than may, none longer than they have to, and none of them is kept for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from flownb.core import events
from flownb.core.model import Execution, Response
from flownb.server import callers
from flownb.server.callers import Caller, Callers, Stopping, TooManyWait
from flownb.server.clock import Clock
from tests.store.stored import BEGIN, Stored, new, stored
from tests.support.asyncio import in_loop

LONG = 3_600_000


class Waiting:
    """One caller, who waits from the beginning of a task on."""

    def __init__(self, all_of_them: Callers, store: Stored, id: str) -> None:
        self._here: asyncio.Future[Caller] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._wait(all_of_them, store, id))

    async def _wait(self, all_of_them: Callers, store: Stored, id: str) -> Caller:
        return await all_of_them.wait(await store.get(id), LONG, self._here.set_result)

    async def here(self) -> Caller:
        return await self._here


@asynccontextmanager
async def waited_for(folder: Path) -> AsyncIterator[tuple[Callers, Stored]]:
    async with stored(folder) as store:
        all_of_them = Callers(store, Clock())
        store.listen(all_of_them.hear)
        await store.play(new(), *BEGIN)
        yield all_of_them, store


@in_loop
async def test_all_who_wait_hear_of_the_answer_and_who_comes_later_does_not_wait(tmp_path: Path) -> None:
    async with waited_for(tmp_path) as (all_of_them, store):
        waiting = [Waiting(all_of_them, store, "one") for _ in range(3)]
        for one in waiting:
            await one.here()
        await store.apply("one", events.Responded(Response(200, {}, "x", due=True)))
        waiting.append(Waiting(all_of_them, store, "one"))
        found = [(await one.task).execution.response for one in waiting]
        assert [response.body for response in found if response] == ["x"] * 4


@in_loop
async def test_an_answer_that_is_heard_of_while_the_record_is_read_is_not_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with waited_for(tmp_path) as (all_of_them, store):
        read = store.get

        async def slow(id: str) -> Execution:
            found = await read(id)
            if not found.response:
                await store.apply(id, events.Responded(Response(200, {}, "x", due=True)))
            return found

        running = await read("one")
        monkeypatch.setattr(store, "get", slow)
        waited = await asyncio.wait_for(all_of_them.wait(running, LONG, lambda _: None), 20)
        assert waited.execution.response
        assert waited.execution.response.body == "x"


@in_loop
async def test_no_more_wait_than_may_and_whoever_hangs_up_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callers, "MOST", 1)
    async with waited_for(tmp_path) as (all_of_them, store):
        all_of_them.demand_room()
        waiting = Waiting(all_of_them, store, "one")
        caller = await waiting.here()
        with pytest.raises(TooManyWait):
            all_of_them.demand_room()
        caller.hang_up()
        assert (await waiting.task).gone
        all_of_them.demand_room()


@in_loop
async def test_a_stop_ends_every_wait(tmp_path: Path) -> None:
    async with waited_for(tmp_path) as (all_of_them, store):
        waiting = Waiting(all_of_them, store, "one")
        await waiting.here()
        all_of_them.close()
        with pytest.raises(Stopping):
            await waiting.task
