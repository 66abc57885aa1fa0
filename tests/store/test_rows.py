"""From data to rows and back: every field survives, and only what changed is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flownb.core import events
from flownb.core.model import (
    Action,
    Attempt,
    Checkpoint,
    Decision,
    Error,
    Execution,
    Pause,
    Policy,
    Retry,
    Step,
)
from flownb.store import aggregate
from flownb.store.engine import Database
from flownb.store.sqlite import open_database
from tests.store.stored import (
    BEGIN,
    finished,
    new,
    of_sqlite,
    rerun,
    stored,
    suspend,
    updates,
)
from tests.support.asyncio import in_loop

STORED_INT = st.integers(-(2**63), 2**63 - 1)
ANY_TEXT = st.text(st.characters())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)
OBJECT = st.dictionaries(ANY_TEXT, JSON, max_size=3)
ERRORS = st.builds(Error, ANY_TEXT, ANY_TEXT, st.lists(ANY_TEXT, max_size=3).map(tuple))
RETRIES = st.builds(Retry, st.integers(), ANY_TEXT, st.integers(), st.integers())
POLICIES = st.builds(
    Policy, st.none() | st.integers(), retry=st.none() | RETRIES, once=st.booleans(), checkpoint=st.booleans()
)
CHECKPOINTS = st.builds(Checkpoint, st.none() | ANY_TEXT, ANY_TEXT, st.integers(), ANY_TEXT)
TIMES = st.none() | STORED_INT
COUNTS = dict.fromkeys(("segments", "segment_ms", "earlier_credits", "compute_ms", "suspended_ms", "at"), STORED_INT)
STEPS = st.builds(
    Step,
    policy=POLICIES,
    **dict.fromkeys(("runs", "attempts", "losses", "compute_ms"), STORED_INT),
    **dict.fromkeys(("started_at", "finished_at"), TIMES),
    exports=OBJECT,
    error=st.none() | ERRORS,
    context=JSON,
    callback=JSON,
)
DECISIONS = st.builds(Decision, at=st.integers(), request=JSON)
PAUSES = st.builds(
    Pause,
    of=st.builds(Attempt, st.text(), STORED_INT, STORED_INT),
    since=STORED_INT,
    wakes_at=TIMES,
    reason=st.none() | ANY_TEXT,
    form=JSON,
    context=JSON,
    max_retries=st.none() | st.integers(0),
    decision=st.none() | DECISIONS,
    early=st.lists(DECISIONS, max_size=2).map(tuple),
    ended_at=TIMES,
)
EXECUTIONS = st.builds(
    Execution,
    version=st.just("v1"),
    trigger=OBJECT,
    created_at=STORED_INT,
    steps=st.tuples(STEPS, STEPS),
    pause=st.none(),
    checkpoint=st.none() | CHECKPOINTS,
    resume=JSON,
    **dict.fromkeys(("started_at", "finished_at"), TIMES),
    reason=st.none() | ANY_TEXT,
    error=st.none() | ERRORS,
    warnings=st.lists(ANY_TEXT, max_size=3).map(tuple),
    past=st.just(()),
    **COUNTS,
)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A connection of a writer's, with one version."""
    db = open_database(tmp_path_factory.mktemp("store") / "db", "WAL")
    db.execute("INSERT INTO versions VALUES ('v1', '{}', 0)")
    db.conn.commit()
    yield db
    db.close()


def assert_same(found: Execution | None, wanted: Execution) -> None:
    assert found == wanted
    assert repr(found) == repr(wanted)  # types too, which compare equal here and there


@settings(max_examples=200, deadline=None, derandomize=True)
@given(created=EXECUTIONS, changed=EXECUTIONS, pause=PAUSES, past=st.none() | PAUSES)
def test_every_field_survives(
    db: Database, created: Execution, changed: Execution, pause: Pause, past: Pause | None
) -> None:
    db.execute("BEGIN")
    aggregate.insert(db, created)
    assert_same(aggregate.load(db, created.id), created)
    earlier = (past,) if past is not None and past.of != pause.of else ()
    fixed = [
        replace(step, name=was.name, cell_id=was.cell_id)
        for step, was in zip(changed.steps, created.steps, strict=True)
    ]
    changed = replace(changed, id=created.id, steps=tuple(fixed), pause=pause, past=earlier)
    aggregate.save(db, created, changed)
    assert_same(aggregate.load(db, created.id), replace(changed, past=()))
    assert db.execute("SELECT due_at FROM executions").fetchall() == [(pause.wakes_at if pause.live else None,)]
    for each in (pause, *earlier):
        found = aggregate.load_pause(db, created.id, each.of)
        assert found == (each if each.linked_to(each.of) else None)
    of_sqlite(db).rollback()


@in_loop
async def test_text_that_is_no_utf_8_is_taken_wherever_authors_can_put_it(tmp_path: Path) -> None:
    lone = "\ud800"
    async with stored(tmp_path) as store:
        ended = await store.play(new("exit"), *BEGIN, replace(finished(a=lone), exit=events.ExitCall(lone)))
        assert (ended.reason, ended.steps[0].exports) == (lone, {"a": lone})
        paused = await store.play(new("pause"), *BEGIN, finished(suspend(reason=lone, context={lone: lone})))
        assert paused.pause is not None
        assert (paused.pause.reason, paused.pause.context) == (lone, {lone: lone})
        failed = await store.play(new("error"), *BEGIN, events.StepFailed(Error("E", lone), reason=lone))
        assert (failed.reason, failed.error) == (lone, Error("E", lone))


@in_loop
async def test_a_limit_of_reruns_may_be_of_any_size(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        paused = await store.play(new(), *BEGIN, finished(replace(rerun(), max_retries=10**30)))
        assert paused.pause is not None
        assert paused.pause.max_retries == 10**30


BESIDE = ("INSERT journal", "INSERT usage", "INSERT usage_steps")
"""What is written of every change beside its own rows."""


@in_loop
async def test_a_change_writes_only_what_changed(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        await store.play(new(steps=5), *BEGIN)

        async def written(event: events.Event) -> list[tuple[str, set[str]]]:
            statements: list[str] = []
            await store._writer.run(lambda db: of_sqlite(db).conn.set_trace_callback(statements.append))
            await store.apply("one", event)
            return [update for update in updates(statements) if update[0] not in BESIDE]

        assert await written(events.PauseAsked()) == [("steps", {"asked"}), ("INSERT pauses", set())]
        [of_execution, first, second, pause, *links] = await written(finished())
        assert pause == ("pauses", {"ended_by", "ended_at"})
        assert of_execution == ("executions", {"at", "checkpoint", "compute_ms", "segment_ms"})
        assert first == ("steps", {"status", "exports", "finished_at", "compute_ms"})
        assert second == ("steps", {"status", "runs", "attempts", "started_at"})
        assert links == [("INSERT links", set())] * len(Action)
        pausing = await written(finished(suspend()))
        assert pausing[0] == ("executions", {"status", "due_at", "compute_ms", "segment_ms"})
        assert [table for table, _ in pausing] == ["executions", "steps", "INSERT pauses", "DELETE claims"]
