"""Time as the world writes it."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from flownb.core.times import iso

LAST = 253_402_300_799_999
"""The end of the year 9999."""


def test_times_are_utc_with_milliseconds() -> None:
    assert iso(0) == "1970-01-01T00:00:00.000Z"
    assert iso(1_800_000_000_050) == "2027-01-15T08:00:00.050Z"
    assert iso(None) is None


@given(st.integers(0, LAST))
def test_no_millisecond_is_lost(at: int) -> None:
    written = iso(at)
    assert written
    epoch = datetime.fromisoformat("1970-01-01T00:00:00Z")
    assert (datetime.fromisoformat(written) - epoch) / timedelta(milliseconds=1) == at
