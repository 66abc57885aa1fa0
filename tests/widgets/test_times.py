"""What the widgets say of times and of decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flownb.widgets.times import left, outcome

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "seconds", "words"),
    [
        ("rerun", 7.2, "run 3 of 11, next in 8 s"),
        ("rerun", 0, "run 3 of 11, next at any moment"),
        ("suspend", 65, "1 min 5 s left"),
        ("suspend", -3, "due at any moment"),
    ],
)
def test_what_counts_down(kind: str, seconds: float, words: str) -> None:
    wakes_at = (NOW + timedelta(seconds=seconds)).isoformat()
    assert left({"kind": kind, "wakes_at": wakes_at, "runs": 3, "max_retries": 10}, NOW) == words


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"status": "resumed", "at": "2026-11-23T14:30:00.000Z"}, "approved"),
        (
            {"status": "already_resumed", "by": "Ana", "at": "2026-11-23T14:05:00.000Z"},
            "already approved by Ana at 14:05 UTC",
        ),
        (
            {"status": "already_cancelled", "at": "2026-11-20T14:05:00.000Z"},
            "already cancelled on Fri 20 Nov 2026, 14:05 UTC",
        ),
        ({"status": "expired"}, "too late, this pause is over"),
        ({"status": "postponed", "at": "2026-11-24T14:05:00.000Z"}, "postponed until Tue 24 Nov 2026, 14:05 UTC"),
        ({"status": "new word", "message": "The server's own."}, "The server's own."),
    ],
)
def test_what_came_of_a_decision(said: dict[str, Any], words: str) -> None:
    assert outcome(said, NOW) == words
