"""Which versions a paused execution can move to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flownb.core.migrations import CannotMigrate, migration
from flownb.core.model import PauseKind
from flownb.core.notebook import Workflow, workflow
from tests.core.test_replays import OVER, cells, waiting
from tests.support.notebooks import cell, notebook

OLD = cells(a="1", b="2", c="3")


@pytest.mark.parametrize("kind", PauseKind)
@pytest.mark.parametrize(
    ("new", "steps"),
    [
        (cells(a="1", b="2", c="9"), ["a", "b", "c"]),
        (cells(a="1", b="2", x="4", c="3"), ["a", "b", "x", "c"]),
        (cells(a="1", b="2"), ["a", "b"]),
    ],
)
def test_what_is_to_come_may_be_edited_added_and_removed(new: Workflow, steps: list[str], kind: PauseKind) -> None:
    event = migration(waiting(kind), OLD, new)
    assert (event.of.step, event.version, [step.name for step in event.steps]) == ("b", new.version, steps)
    assert event.warnings == (f"moved from version {OLD.version[:8]} to {new.version[:8]} while it waited in step 'b'",)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (cells(a="9", b="2", c="3"), "a (changed)"),
        (cells(a="1", b="9", c="3"), "b (changed)"),
        (cells(a="1", c="3"), "b (gone), c (new)"),
        (cells(b="2", a="1", c="3"), "the order of the steps"),
        (replace(OLD, kernelspec="other"), "the kernelspec (python3 -> other)"),
    ],
)
def test_what_was_run_is_frozen_and_the_cells_are_named(new: Workflow, said: str) -> None:
    with pytest.raises(CannotMigrate) as refused:
        migration(waiting(PauseKind.SUSPEND), OLD, new)
    assert (said in str(refused.value), refused.value.reason) == (True, "changed")


def test_only_what_is_paused_moves() -> None:
    with pytest.raises(CannotMigrate) as refused:
        migration(OVER, OLD, cells(a="1"))
    assert refused.value.reason == "not_suspended"


def test_a_setup_cell_may_change_which_the_record_says() -> None:
    steps = [cell("1", "a"), cell("2", "b")]
    old, new = (workflow(notebook(cell(f"x = {n}", None, "setup"), *steps)) for n in (1, 2))
    assert "the setup cells are others now" in migration(waiting(PauseKind.SUSPEND), old, new).warnings[1]
