"""Spans of time as authors write them, in whole milliseconds."""

from __future__ import annotations

import re
from datetime import timedelta

from flownb.core.errors import InvalidValue, shown

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
LONGEST = 366 * DAY
LONGEST_LOOK_BACK = 7 * DAY
"""How long a named event is kept for those who begin to wait for it."""

_UNITS = {"ms": 1, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_WRITTEN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*")


def milliseconds(value: object, what: str, *, shortest: int = 1) -> int:
    """A number of milliseconds or a ``timedelta``, as an author passes it to ``pd.flow``.

    Raises ``InvalidValue`` for anything else (``bool``, NaN, None, text) and outside ``shortest`` to 366 days.
    """
    if isinstance(value, timedelta):
        number: float = value / timedelta(milliseconds=1)
    elif isinstance(value, int | float) and not isinstance(value, bool) and value == value:
        number = value
    else:
        raise InvalidValue(f"{what}: expected a number of milliseconds or a timedelta, got {shown(value)}")
    if not shortest <= number <= LONGEST:
        raise InvalidValue(f"{what}: {shown(value)} is outside {shortest} ms to 366 days")
    return round(number)


def duration(value: object, what: str) -> int:
    """A directive's or setting's span of time: ``"10s"``, ``"5m"``, ``"2h"``, ``"7d"``, or milliseconds."""
    written = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
    if written is None:
        if isinstance(value, str):
            raise InvalidValue(f'{what}: expected a time like "10s", "5m", "2h" or "7d", got {shown(value)}')
        return milliseconds(value, what)
    return milliseconds(float(written[1]) * _UNITS[written[2]], what)
