"""The journal tells all that the rules decided on, and nothing that people or notebooks put in."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from flownb.core import events
from flownb.core.model import Action, Attempt, Checkpoint, Error, PauseKind, Response, StepStatus
from flownb.store import journal
from flownb.store.sqlite import Sqlite
from tests.store.stored import BEGIN, SUSPEND, finished, new, rerun, rows, stored, suspend
from tests.support.asyncio import in_loop
from tests.support.replay import bare, replay

SECRET = "a-secret"

EVENTS = [
    *(kind() for kind in (events.Admitted, events.StepStarted, events.TimerFired, events.ServerLost, events.Released)),
    events.PauseAsked(True, {"title": SECRET}),
    events.StepFinished(
        {"x": SECRET},
        Checkpoint("0.snapshot", "digest", 7),
        12,
        (suspend(form={"title": SECRET}, confirm=False), rerun(), suspend(context=SECRET, on_timeout="cancel")),
        events.ExitCall("enough"),
        (SECRET,),
        Response(418, {"X-Secret": SECRET}, SECRET, due=True),
    ),
    events.Responded(Response(200, {"X-Secret": SECRET}, {"base64": SECRET}, due=True)),
    events.StepFailed(Error("ValueError", SECRET, (SECRET,)), 3, True, "checkpoint_missing"),
    events.RequestArrived(Action.CANCEL, {"body": SECRET}, Attempt("a", 2, 1)),
    events.Released(begun=False),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_comes_back_without_its_content(event: events.Event) -> None:
    told = json.loads(json.dumps(journal.encode(event)))
    assert SECRET not in str(told)
    again = journal.decode(journal.name_of(event), told)
    assert type(again) is type(event)
    assert bare(again) == bare(event)


def test_what_is_decided_on_comes_back_as_it_was() -> None:
    event = EVENTS[6]
    assert isinstance(event, events.StepFinished)
    again = journal.decode("StepFinished", json.loads(json.dumps(journal.encode(event))))
    assert isinstance(again, events.StepFinished)
    assert [(call.kind, call.form is None) for call in again.pauses] == [
        (PauseKind.SUSPEND, False),
        (PauseKind.RERUN, True),
        (PauseKind.SUSPEND, True),
    ]
    assert (again.checkpoint, again.exit, again.compute_ms) == (event.checkpoint, event.exit, event.compute_ms)


@in_loop
async def test_an_execution_that_begins_in_the_middle_says_so(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        execution = new()
        done = replace(execution.steps[0], status=StepStatus.SUCCEEDED, runs=2, attempts=1, exports={"x": SECRET})
        begun = replace(execution, steps=(done, *execution.steps[1:]), at=1)
        await store.play(begun, *BEGIN, finished(), finished())
    (told,) = replay(Sqlite(store.path))
    assert [step.status for step in told.execution.steps] == [StepStatus.SUCCEEDED] * 3
    assert SECRET not in str(rows(store.path, "SELECT detail FROM journal"))


@in_loop
async def test_a_request_that_came_before_the_form_and_does_not_fill_it_is_told_again(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        await store.play(new(), *BEGIN, events.PauseAsked())
        sent = events.RequestArrived(Action.RESUME, {"body": 1}, Attempt("a", 1, 1))
        assert (await store.request("one", sent))[0].status == "accepted"
        await store.apply("one", finished(suspend(form={"type": "string"})))
        filled = events.RequestArrived(Action.RESUME, {"body": "yes"}, Attempt("a", 1, 1))
        assert (await store.request("one", filled))[0].status == "resumed"
    (told,) = replay(Sqlite(store.path))
    assert len(told.journal) == 6


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE steps SET runs = 2 WHERE place = 0",
        "UPDATE executions SET segments = 2",
        "UPDATE pauses SET wakes_at = wakes_at + 1",
        "DELETE FROM pauses",
        "UPDATE journal SET status = 'queued' WHERE event = 'StepStarted'",
        "DELETE FROM journal WHERE event = 'PauseAsked'",
        """UPDATE journal SET detail = '{"event": {"action": "resume"}}' WHERE event = 'RequestArrived'""",
    ],
)
@in_loop
async def test_a_record_that_does_not_agree_with_itself_is_noticed(tmp_path: Path, harm: str) -> None:
    async with stored(tmp_path) as store:
        await store.play(new(), *SUSPEND)
        await store.request("one", events.RequestArrived(Action.CANCEL, {"body": SECRET}, Attempt("a", 1, 1)))
    replay(Sqlite(store.path))
    with closing(sqlite3.connect(store.path)) as database, database:
        assert database.execute(harm).rowcount
    with pytest.raises(AssertionError, match="execution one, journal entry"):
        replay(Sqlite(store.path))
