"""What an execution waits for, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from flownb.client.words import deadline, run_counter, span

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def waiting(**changed: Any) -> dict[str, Any]:
    plain = {"kind": "suspend", "on_timeout": "resume", "wakes_at": "2026-11-24T14:00:05.000Z", "runs": 1}
    return {**plain, "max_retries": None, **changed}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, ""),
        ({"runs": 3}, "run 3"),
        ({"kind": "rerun", "max_retries": 3}, "run 1 of 4"),
        ({"kind": "rerun", "max_retries": 3, "runs": 2}, "run 2 of 4"),
    ],
)
def test_runs_are_counted(changed: dict[str, Any], words: str) -> None:
    assert run_counter(waiting(**changed)) == words


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "the workflow goes on without an answer"),
        ({"on_timeout": "cancel"}, "the workflow is cancelled"),
        ({"on_timeout": "error"}, "the workflow fails"),
        ({"kind": "rerun"}, "the step runs again"),
        ({"kind": "delay"}, "the workflow goes on"),
        ({"kind": "retry"}, "the step is tried again"),
    ],
)
def test_what_happens_at_the_deadline(changed: dict[str, Any], words: str) -> None:
    assert deadline(waiting(**changed), NOW) == f"{words} in 1 d 2 h (Tue 24 Nov 2026, 14:00:05 UTC)"


def test_a_deadline_is_told_in_the_readers_time_and_without_date_when_soon() -> None:
    there = timezone(timedelta(hours=-5), "EST")
    assert deadline(waiting(), NOW.astimezone(there)).endswith("(Tue 24 Nov 2026, 09:00:05 EST)")
    assert deadline(waiting(wakes_at="2026-11-23T12:00:30.000Z"), NOW).endswith("without an answer in 30 s")


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=-1), "0 ms"),
        (timedelta(milliseconds=7), "7 ms"),
        (timedelta(seconds=4.24), "4.2 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(seconds=60), "1 min"),
        (timedelta(hours=23, minutes=59, seconds=58), "23 h 59 min"),
        (timedelta(days=366), "366 d"),
        (timedelta(days=1, minutes=5), "1 d"),
    ],
)
def test_spans(length: timedelta, words: str) -> None:
    assert span(length) == words
