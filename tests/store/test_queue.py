"""Who gets a free slot: workflows take turns, and a limit on one keeps nobody else back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from flownb.core.model import Action
from flownb.core.settings import Quota
from flownb.store import queue
from flownb.store.queue import Chosen, Turn
from tests.store.stored import START, SUSPEND, Stored, new, stored
from tests.support.asyncio import in_loop


async def choose(
    store: Stored, free: int, turn: Turn | None = None, running: Mapping[str, str] | None = None, **quotas: Quota
) -> Chosen:
    def quota(db: object, workflow: str, version: str) -> Quota:
        return quotas.get(workflow, Quota())

    return await store.read(lambda db: queue.choose(db, free, store.clock.now(), turn or Turn(), running or {}, quota))


async def put(store: Stored, *names: str) -> None:
    """Queue executions, each of the workflow that its first letter names."""
    for name in names:
        await store.play(new(name, workflow=name[0]))


@in_loop
async def test_workflows_take_turns_however_much_waits_of_one(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        await put(store, "a1", "a2", "a3", "a4", "c1", "b1", "b2")
        assert (await choose(store, 6)).executions == ["a1", "b1", "c1", "a2", "b2", "a3"]
        turn, running, order = Turn(), dict[str, str](), []
        for _ in range(7):
            (chosen,) = (await choose(store, 1, turn, running)).executions
            running[chosen] = chosen[0]
            order.append(chosen)
        assert order == ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]


@in_loop
async def test_what_was_woken_goes_before_what_is_new_of_any_workflow(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        await put(store, "a1", "b1")
        await store.play(new("z1", workflow="z"), *SUSPEND)
        await store.ask("z1", Action.RESUME)
        assert (await choose(store, 2)).executions == ["z1", "a1"]


@in_loop
async def test_a_limit_on_one_workflow_keeps_no_other_back(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        await put(store, "a1", "a2", "a3", "b1", "b2")
        one = Quota(running=1)
        assert (await choose(store, 9, a=one)).executions == ["a1", "b1", "b2"]
        assert (await choose(store, 9, running={"a1": "a"}, a=one)).executions == ["b1", "b2"]
        two = Quota(most=2, per=1_000)
        assert await choose(store, 9, a=two) == Chosen(["a1", "b1", "a2", "b2"], None)


@in_loop
async def test_a_start_that_is_kept_back_is_allowed_when_the_window_has_moved_on(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        await put(store, "a3", "a4")
        for at in (0, 400):
            store.clock.at = START + at
            await store.play(new(f"a{at}", workflow="a"), *SUSPEND)
        two = Quota(most=2, per=1_000)
        assert await choose(store, 9, a=two) == Chosen([], START + 1_000)
        store.clock.at = START + 999
        assert (await choose(store, 9, a=two)).executions == []
        store.clock.at = START + 1_000
        assert (await choose(store, 9, a=two)).executions == ["a3"]
        await store.ask("a0", Action.RESUME)  # what was woken has begun before
        assert (await choose(store, 9, a=two)).executions == ["a0", "a3"]
