"""A thousand schedules that are due in the same second: all start, in order, none twice."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager

from flownb.core.durations import HOUR
from flownb.core.notebook import workflow
from flownb.server.context import Links
from flownb.server.deployments import Deployments
from flownb.server.notebooks import Notebooks
from flownb.server.schedules import Schedules
from flownb.store.store import Change
from tests.server.test_timers import StillClock
from tests.store.stored import CONTENT, KEY, START, Stored, rows, stored
from tests.support.asyncio import in_loop

MANY = 1_000


async def deploy(store: Stored, *names: str) -> None:
    """Workflows that start every hour."""
    found = workflow({**CONTENT, "metadata": {"flownb": {"schedule": {"every": "1h"}}}})
    await asyncio.gather(*(store.pinning.deploy(name, found, "flow.ipynb", None) for name in names))


@asynccontextmanager
async def at_work(store: Stored, clock: StillClock | None = None) -> AsyncIterator[Schedules]:
    deployments = Deployments(
        store, Notebooks(store.path.parent, KernelSpecManager()), Links(KEY, "http://localhost/flownb/")
    )
    await deployments.load()
    made = Schedules(store, deployments, clock or StillClock(store), logging.getLogger("flownb"))
    working = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def heard(store: Stored, count: int) -> list[str]:
    """The workflows of the next executions, in the order in which they were created."""
    found: list[str] = []
    enough = asyncio.Event()

    def hear(change: Change) -> None:
        found.append(change.after.workflow)
        if len(found) == count:
            enough.set()

    stop = store.listen(hear)
    await asyncio.wait_for(enough.wait(), 60)
    stop()
    return found


@in_loop
async def test_a_thousand_that_are_due_at_once_all_start_in_order_and_none_twice(tmp_path: Path) -> None:
    names = [f"w{number:04}" for number in range(MANY)]
    async with stored(tmp_path) as store:
        await deploy(store, *reversed(names))
        store.clock.at = START + HOUR
        begun = asyncio.create_task(heard(store, MANY))
        await asyncio.sleep(0)
        async with at_work(store) as made:
            assert await begun == names
            assert made.busy
        store.clock.at = START + 2 * HOUR
        await deploy(store, "last")
        store.clock.at = START + 3 * HOUR
        begun = asyncio.create_task(heard(store, 1))
        await asyncio.sleep(0)
        async with at_work(store):  # a server that begins anew: those of before are not over
            assert await begun == ["last"]
        assert rows(store.path, "SELECT count(*), count(DISTINCT workflow) FROM executions") == [(MANY + 1, MANY + 1)]
        assert rows(store.path, "SELECT DISTINCT due_at, skipped FROM schedules ORDER BY 2") == [
            (START + 4 * HOUR, 0),
            (START + 4 * HOUR, 1),
        ]


@in_loop
async def test_a_server_without_a_schedule_is_idle(tmp_path: Path) -> None:
    asleep = asyncio.Event()

    class Telling(StillClock):
        async def sleep(self, until: int | None, woken: asyncio.Event) -> None:
            asleep.set()
            await super().sleep(until, woken)

    async with stored(tmp_path) as store, at_work(store, Telling(store)) as made:
        assert made.busy  # nothing is known yet
        await asyncio.wait_for(asleep.wait(), 60)
        assert not made.busy
