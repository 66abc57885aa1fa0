"""Spans of time as authors write them."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flownb.core.durations import DAY, HOUR, LONGEST, MINUTE, SECOND, duration, milliseconds
from flownb.core.errors import InvalidValue


@pytest.mark.parametrize(
    ("written", "ms"),
    [
        ("250ms", 250),
        ("10s", 10 * SECOND),
        ("5m", 5 * MINUTE),
        ("2h", 2 * HOUR),
        ("7d", 7 * DAY),
        (" 1.5 h ", 90 * MINUTE),
    ],
)
def test_directives_take_numbers_with_a_unit(written: str, ms: int) -> None:
    assert duration(written, "`timeout`") == ms


@pytest.mark.parametrize("value", ["", "10", "s", "-1s", "1w", "1s 2m", "1e3s", "nan s", "1" * 5_000])
def test_other_texts_are_refused_with_an_example(value: str) -> None:
    with pytest.raises(InvalidValue, match='`timeout`: expected a time like "10s"'):
        duration(value, "`timeout`")


def test_authors_pass_milliseconds_or_a_timedelta() -> None:
    assert milliseconds(86_400_000, "timeout") == DAY
    assert milliseconds(1.6, "timeout") == 2
    assert milliseconds(timedelta(minutes=2, microseconds=400), "timeout") == 2 * MINUTE
    assert duration(timedelta(days=1), "timeout") == DAY


@pytest.mark.parametrize("value", [True, False, None, math.nan, "10s", [1], object()])
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(InvalidValue, match="delay: expected a number of milliseconds or a timedelta"):
        milliseconds(value, "delay")


@pytest.mark.parametrize(
    "value",
    [
        0,
        -1,
        0.4,
        LONGEST + 1,
        math.inf,
        -math.inf,
        timedelta(days=367),
        pytest.param(10**400, id="no float"),
        pytest.param(-(10**5_000), id="no text"),
    ],
)
def test_what_is_out_of_range_is_refused(value: object) -> None:
    with pytest.raises(InvalidValue, match=r"delay: .* is outside 1 ms to 366 days"):
        milliseconds(value, "delay")


def test_a_rerun_may_come_at_once() -> None:
    assert milliseconds(0, "delay", shortest=0) == 0


@given(st.integers(1, LONGEST))
def test_every_whole_number_in_range_is_taken_as_it_is(ms: int) -> None:
    assert milliseconds(ms, "delay") == ms
    assert milliseconds(timedelta(milliseconds=ms), "delay") == ms
    assert duration(f"{ms}ms", "delay") == ms
