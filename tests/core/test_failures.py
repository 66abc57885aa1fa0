"""What of a failure is kept, and when it is told of."""

from __future__ import annotations

import pytest

from flownb.core.durations import DAY
from flownb.core.events import StepFailed
from flownb.core.failures import LONGEST, Failure, failure, is_told
from flownb.core.model import Error, Policy
from tests.core.play import Play


def test_a_failure_is_the_change_that_ends_an_execution() -> None:
    play = Play(Policy(), Policy())
    play.begin()
    play.happen(StepFailed(Error("ValueError", f"\n{'x' * 400}\nmore")))
    before, after = play.journal[-1].before, play.journal[-1].after
    found = failure(before, after)
    assert found == Failure("execution", after.workflow, "a", "ValueError", "x" * LONGEST, after.finished_at or 0)
    assert failure(after, after) is None
    assert failure(None, before or after) is None


@pytest.mark.parametrize(
    ("told_at", "expected"),
    [
        (None, True),
        (1_000 * DAY - DAY, True),
        (1_000 * DAY - DAY + 1, False),
        (1_000 * DAY, False),
        (1_001 * DAY, True),
    ],
)
def test_an_error_is_told_of_once_a_day_also_where_the_clock_was_put_back(told_at: int | None, expected: bool) -> None:
    assert is_told(1_000 * DAY, told_at) is expected
