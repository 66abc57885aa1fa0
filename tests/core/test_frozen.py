"""Copies of frozen data, made without their ``__init__``."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from flownb.core import frozen
from flownb.core.model import Execution, Step, StepStatus

STEP = Step("load", "cell-1")


def test_a_copy_is_what_the_standard_library_makes() -> None:
    changes: dict[str, Any] = {"status": StepStatus.RUNNING, "runs": 2}
    copy = frozen.replace(STEP, **changes)
    assert copy == dataclasses.replace(STEP, **changes)
    assert repr(copy) == repr(dataclasses.replace(STEP, **changes))
    assert Step("load", "cell-1") == STEP
    with pytest.raises(dataclasses.FrozenInstanceError):
        copy.runs = 3  # type: ignore[misc]


def test_a_field_that_there_is_not_is_refused() -> None:
    with pytest.raises(TypeError, match="Step has not all of runs, run"):
        frozen.replace(STEP, runs=2, run=2)  # type: ignore[call-arg]


def test_what_is_made_of_all_fields_is_the_same() -> None:
    execution = Execution("one", "flow", "flow.ipynb", "v1", {}, 1, (STEP,))
    assert frozen.made(Execution, vars(execution)) == execution
