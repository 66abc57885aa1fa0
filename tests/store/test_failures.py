"""Failures on disk: equal ones are one line, and told of once a day."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from flownb.core.durations import DAY, HOUR
from flownb.core.events import StepFailed
from flownb.core.model import Error
from flownb.store import failures
from flownb.store.change import Change
from flownb.store.failures import Group
from flownb.store.outbox import Message
from flownb.store.sqlite import Sqlite
from flownb.store.store import Store
from tests.store.stored import BEGIN, CONTENT, KEY, START, StillClock, new, stored
from tests.support.asyncio import in_loop


@in_loop
async def test_the_same_error_is_told_of_once_a_day_with_how_many_were_held_back(tmp_path: Path) -> None:
    clock, told = StillClock(), []

    def alarm(change: Change, held: int) -> list[Message]:
        told.append((change.after.id, held))
        return [Message(change.after.id, change.after.id, "c", {}, change.at)] if change.after.id != "nobody" else []

    store = Store(Sqlite(tmp_path / "flownb.db"), KEY, clock, alarm=alarm)
    await store.open()

    async def fail(name: str, at: int, error: str = "ValueError", workflow: str = "flow") -> None:
        clock.at = at
        await store.create(new(name, workflow=workflow), CONTENT)
        for event in BEGIN:
            await store.apply(name, event)
        await store.apply(name, StepFailed(Error(error, name)))

    await fail("nobody", START)  # of which nobody was told: that does not count
    await fail("first", START)
    await fail("second", START + HOUR)
    await fail("third", START + DAY - 1)
    await fail("other error", START + HOUR, "KeyError")
    await fail("other workflow", START + HOUR, workflow="other")
    await fail("next day", START + DAY)
    await store.delete("next day")
    await fail("forgotten", START + DAY + 1)
    assert told == [
        ("nobody", 0), ("first", 0), ("other error", 0), ("other workflow", 0), ("next day", 2), ("forgotten", 2)
    ]  # fmt: skip
    await store.close()


@in_loop
async def test_equal_errors_are_one_group(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        for number, (workflow, error) in enumerate([("a", "x"), ("a", "x"), ("a", "y"), ("b", "x"), ("a", "x")]):
            store.clock.at = START + number
            await store.play(
                new(f"{number}", workflow=workflow), *BEGIN, StepFailed(Error("ValueError", f"{error}\n{number}"))
            )
        ax = Group("a", "a", "ValueError", "x", 3, START, START + 4, "4")
        ay = Group("a", "a", "ValueError", "y", 1, START + 2, START + 2, "2")
        bx = Group("b", "a", "ValueError", "x", 1, START + 3, START + 3, "3")
        assert await store.read(partial(failures.groups, since=0, limit=9)) == [ax, bx, ay]
        assert await store.read(partial(failures.groups, since=0, limit=1)) == [ax]
        assert await store.read(partial(failures.groups, since=0, limit=9, workflow="b")) == [bx]
        assert await store.read(partial(failures.groups, since=START + 3, limit=9, workflow="a")) == [
            Group("a", "a", "ValueError", "x", 1, START + 4, START + 4, "4")
        ]
