"""What an execution waits for, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from flownb.core.words import deadline, in_words, otherwise, run_counter, span

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
    ("changed", "words", "unless"),
    [
        ({}, "the workflow continues by itself", " unless cancelled"),
        ({"on_timeout": "cancel"}, "the workflow is cancelled", " unless approved"),
        ({"on_timeout": "error"}, "the workflow fails", " unless approved"),
        ({"kind": "rerun"}, "the step runs again by itself", ""),
        ({"kind": "delay"}, "the workflow continues by itself", " unless cancelled"),
        ({"kind": "retry"}, "the step is tried again", ""),
    ],
)
def test_what_happens_at_the_deadline(changed: dict[str, Any], words: str, unless: str) -> None:
    found = waiting(**changed)
    assert deadline(found, NOW) == f"{words} in 1 d 2 h (Tue 24 Nov 2026, 14:00 UTC){unless}"
    sentence = otherwise(found["kind"], found["on_timeout"], found["wakes_at"])
    assert sentence == f"{words.capitalize()} on Tue 24 Nov 2026, 14:00 UTC{unless}."


def test_a_step_that_still_runs_has_no_deadline() -> None:
    assert otherwise(None, "resume", None) == "The step is still running; it pauses when it ends."


def test_a_deadline_is_told_in_the_readers_time_and_without_date_when_soon() -> None:
    there = timezone(timedelta(hours=-5), "EST")
    assert "(Tue 24 Nov 2026, 09:00 EST)" in deadline(waiting(), NOW.astimezone(there))
    soon = deadline(waiting(wakes_at="2026-11-23T12:00:30.000Z"), NOW)
    assert soon == "the workflow continues by itself in 30 s unless cancelled"


def test_a_time_without_a_reader_is_told_in_utc() -> None:
    assert in_words("2026-11-24T14:00:05.000+02:00") == "Tue 24 Nov 2026, 12:00 UTC"


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
