"""Lists of executions: the same as the executions themselves, in few queries and by index."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from flownb.core import events
from flownb.core.model import Action, Error, PauseKind, Policy, Retry, Status, Step
from flownb.store import lists, queries
from flownb.store.engine import Database
from flownb.store.sqlite import open_database
from tests.store.stored import BEGIN, SUSPEND, finished, new, plans, rerun, stored, traced
from tests.support.asyncio import in_loop

FAILED = (*BEGIN, events.StepFailed(Error("ValueError", "no rows")))
POLLING = (*BEGIN, finished(rerun()))


@in_loop
async def test_a_list_says_what_its_executions_say(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        await store.play(new("waits"), *SUSPEND)
        await store.play(new("polls"), *POLLING)
        await store.play(new("failed"), *FAILED)
        await store.play(new("queued", replay_of="failed"))
        found, following = await store.read(partial(lists.page, limit=3))
        assert [one.id for one in found] == ["queued", "failed", "polls"]
        assert following == "polls"
        older, end = await store.read(partial(lists.page, limit=3, before=following))
        assert [one.id for one in older] == ["waits"]
        assert end is None
        for one in [*found, *older]:
            execution = await store.get(one.id)
            for name in ("workflow", "status", "created_at", "started_at", "finished_at", "reason", "replay_of"):
                assert getattr(one, name) == getattr(execution, name)
            assert one.pause == (execution.pause if execution.status is Status.SUSPENDED else None)
        assert found[1].error == "ValueError: no rows"


@in_loop
async def test_the_inbox_has_what_somebody_can_end(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        await store.play(new("a", workflow="one"), *SUSPEND)
        await store.play(new("b", workflow="two"), *POLLING)
        await store.play(new("c", workflow="one"), *SUSPEND)
        await store.play(new("d", workflow="one"))
        await store.ask("c", Action.RESUME)

        async def inbox(limit: int = 9, **asked: Any) -> tuple[list[str], str | None]:
            found, following = await store.read(partial(lists.inbox, limit=limit, **asked))
            return [one.id for one in found], following

        assert await inbox() == (["b", "a"], None)
        assert await inbox(1) == (["b"], "b")
        assert await inbox(1, before="b") == (["a"], None)
        assert await inbox(workflow="one") == (["a"], None)
        assert await inbox(kind=PauseKind.RERUN) == (["b"], None)
        tried = await store.play(replace(new("e"), steps=(Step("a", "cell", Policy(retry=Retry(1))),)), *FAILED)
        assert tried.status is Status.SUSPENDED
        assert await inbox(kind=PauseKind.RETRY) == ([], None), "nobody has links to end it with"


@in_loop
async def test_workflows_are_counted(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        assert await store.read(lists.workflows) == []
        assert await store.read(lists.names) == []
        await store.play(new("1", workflow="b"), *SUSPEND)
        await store.play(new("2", workflow="a"), *FAILED)
        await store.play(new("3", workflow="a"))
        await store.play(new("4", workflow="b"), *SUSPEND)
        found = await store.read(lists.workflows)
        assert [(one.name, one.latest.id, one.total) for one in found] == [("b", "4", 2), ("a", "3", 2)]
        assert found[1].counts == {Status.FAILED: 1, Status.QUEUED: 1}
        assert await store.read(lists.names) == ["a", "b"]


@in_loop
async def test_a_page_takes_three_queries(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        for number in range(7):
            await store.play(new(f"{number}"), *SUSPEND)

        def queries_of_a_page(db: Database) -> int:
            with traced(db) as statements:
                lists.page(db, limit=5)
            return sum(statement.startswith("SELECT") for statement in statements)

        assert await store.read(queries_of_a_page) == 3


@pytest.mark.parametrize("asked", [{"search": "x"}, {"search": "x", "status": Status.FAILED, "before": "a"}])
def test_a_search_reads_an_index_and_no_rows(tmp_path: Path, asked: dict[str, Any]) -> None:
    db = open_database(tmp_path / "db", "WAL")
    found = plans(db, partial(queries.ids, limit=5, **asked))
    assert any("USING COVERING INDEX executions_named" in plan for plan in found), found
    counted = plans(db, lists.workflows)
    assert any("USING COVERING INDEX executions_named" in plan for plan in counted), counted
    db.close()
