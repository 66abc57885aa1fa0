"""Which replays the record allows, and what they begin with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flownb.core.errors import InvalidValue
from flownb.core.model import Attempt, EndedBy, Execution, Pause, PauseKind, Status, Step, StepStatus
from flownb.core.notebook import Workflow, workflow
from flownb.core.replays import CannotReplay, begun, demand_reached, differences, ended, place_of
from tests.support.notebooks import cell, notebook

NAMES = ("a", "b", "c")
ENDS = {kind: kind not in (PauseKind.RERUN, PauseKind.RETRY) for kind in PauseKind}


def cells(**sources: str) -> Workflow:
    """A workflow of named cells, in that order."""
    return workflow(notebook(*(cell(source, name) for name, source in sources.items())))


PLAIN = cells(a="1", b="2", c="3")


def execution(*statuses: StepStatus, at: int, status: Status = Status.RUNNING, **more: Any) -> Execution:
    steps = tuple(
        Step(name, f"c{place}", status=each, runs=1, compute_ms=7, exports={"of": name})
        for place, (name, each) in enumerate(zip(NAMES, statuses, strict=True))
    )
    trigger = {"type": "api", "event": {"body": 1}}
    return Execution("old", "n.ipynb", "n.ipynb", PLAIN.version, trigger, 1, steps, status, at, **more)


def waiting(kind: PauseKind, **more: Any) -> Execution:
    """An execution that waits in step b."""
    pause = Pause(Attempt("b", 1, 1), 2, kind, **more)
    statuses = (StepStatus.SUCCEEDED, StepStatus.SUSPENDED, StepStatus.PENDING)
    return execution(*statuses, at=1, status=Status.SUSPENDED, pause=pause)


OVER = execution(*3 * [StepStatus.SUCCEEDED], at=3, status=Status.SUCCEEDED)


def test_a_step_is_found_by_its_name() -> None:
    assert [place_of(PLAIN, name) for name in NAMES] == [0, 1, 2]
    with pytest.raises(InvalidValue, match="there is no step 'd', there is a, b, c"):
        place_of(PLAIN, "d")


@pytest.mark.parametrize("kind", PauseKind)
def test_a_step_in_whose_pause_an_execution_waits_has_ended_unless_it_runs_again(kind: PauseKind) -> None:
    found = ended(waiting(kind))
    assert list(found) == (["a", "b"] if ENDS[kind] else ["a"])
    assert {step.status for step in found.values()} == {StepStatus.SUCCEEDED}
    over = waiting(kind, ended_by=EndedBy.CANCEL)
    assert list(ended(over)) == ["a"]


@pytest.mark.parametrize(
    ("of", "furthest"),
    [
        (OVER, 3),
        (waiting(PauseKind.SUSPEND), 2),
        (waiting(PauseKind.RERUN), 1),
        (execution(StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.SKIPPED, at=1, status=Status.FAILED), 1),
        (execution(StepStatus.SUCCEEDED, StepStatus.RUNNING, StepStatus.PENDING, at=1), 1),
        (execution(StepStatus.RUNNING, StepStatus.PENDING, StepStatus.PENDING, at=0), 0),
        # Cancelled in the queue, before the step in hand began; or ended by `exit`: none was passed over.
        (execution(StepStatus.SUCCEEDED, StepStatus.SKIPPED, StepStatus.SKIPPED, at=1, status=Status.CANCELLED), 1),
        (execution(StepStatus.SUCCEEDED, StepStatus.SKIPPED, StepStatus.SKIPPED, at=0, status=Status.SUCCEEDED), 1),
        # Passed over by a replay that was forced.
        (execution(StepStatus.SKIPPED, StepStatus.SUCCEEDED, StepStatus.RUNNING, at=2), 2),
    ],
)
def test_a_replay_begins_no_further_than_the_record_goes(of: Execution, furthest: int) -> None:
    for place in range(furthest + 1):
        demand_reached(of, place)
    for place in range(furthest + 1, 4):
        with pytest.raises(CannotReplay, match=f"step {NAMES[furthest]!r} is") as refused:
            demand_reached(of, place)
        assert refused.value.reason == "not_reached"


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (PLAIN, []),
        (cells(a="1", b="2", c="changed"), []),
        (cells(a="1", b="2", c="3", d="4"), []),
        (cells(a="1", b="changed", c="3"), ["b (changed)"]),
        (cells(b="2", c="3"), ["a (gone)"]),
        (cells(a="1", x="0", b="2", c="3"), ["x (new)"]),
        (cells(b="2", a="1", c="3"), ["the order of the steps"]),
        (cells(x="1", b="0", c="3"), ["b (changed)", "a (gone)", "x (new)"]),
    ],
)
def test_what_differs_before_the_step_is_named(new: Workflow, said: list[str]) -> None:
    assert differences(PLAIN, new, "c") == said


def test_a_step_that_only_one_version_has_is_no_place_to_begin_at() -> None:
    with pytest.raises(InvalidValue, match="there is no step 'c', there is a, b"):
        differences(PLAIN, cells(a="1", b="2"), "c")


def test_a_replay_has_what_was_recorded_before_it_and_nothing_after() -> None:
    sent = {"body": "yes"}
    answered = replace(OVER.steps[1], exports={"of": "b", "$resume_data": sent})
    of = replace(OVER, steps=(OVER.steps[0], answered, OVER.steps[2]), resume={"body": "later"}, compute_ms=9)
    new = begun(of, PLAIN, 2, "new", 50)
    assert (new.id, new.replay_of, new.status, new.at, new.created_at) == ("new", "old", Status.QUEUED, 2, 50)
    assert (new.trigger, new.resume, new.checkpoint) == (of.trigger, sent, None)
    assert [step.status for step in new.steps] == [StepStatus.SUCCEEDED, StepStatus.SUCCEEDED, StepStatus.PENDING]
    assert [step.exports for step in new.steps] == [{"of": "a"}, answered.exports, {}]
    assert (new.compute_ms, new.segments, {step.compute_ms for step in new.steps}) == (0, 0, {0})


def test_a_replay_from_the_first_step_knows_nothing_of_the_old_one() -> None:
    new = begun(replace(OVER, resume={"body": 1}), PLAIN, 0, "new", 50)
    assert (new.at, new.resume) == (0, None)
    assert all((step.status, step.runs, step.exports) == (StepStatus.PENDING, 0, {}) for step in new.steps)


def test_a_step_of_which_nothing_is_recorded_is_skipped() -> None:
    later = cells(a="1", x="0", c="3")
    new = begun(OVER, later, 2, "new", 50)
    assert [(step.name, step.status) for step in new.steps[:2]] == [
        ("a", StepStatus.SUCCEEDED),
        ("x", StepStatus.SKIPPED),
    ]
    assert new.version == later.version
    assert new.steps[2].cell_id == later.steps[2].cell_id


SENT, CALLED = {"body": "sent"}, {"body": "called back"}


@pytest.mark.parametrize(
    ("earlier", "later", "resume"),
    [
        ({"asked": True, "exports": {"$resume_data": SENT}}, {}, SENT),
        ({"asked": True, "exports": {"$resume_data": SENT}}, {"asked": True}, None),
        ({"asked": True, "exports": {"$resume_data": SENT}}, {"runs": 2}, None),
        ({"asked": True}, {"runs": 2, "callback": CALLED}, CALLED),
        ({}, {"runs": 2, "callback": CALLED, "asked": True}, None),
        ({}, {}, None),
    ],
)
def test_the_context_has_what_the_latest_pause_was_resumed_with(
    earlier: dict[str, Any], later: dict[str, Any], resume: Any
) -> None:
    steps = (replace(OVER.steps[0], **earlier), replace(OVER.steps[1], **later), OVER.steps[2])
    new = begun(replace(OVER, steps=steps), PLAIN, 2, "new", 50)
    assert new.resume == resume
    assert begun(new, PLAIN, 2, "newer", 60).resume == resume
