"""Data stores: what may be kept in them, under which names, and for how long."""

from __future__ import annotations

import math
import re

from flownb.core.errors import FlowNBError, InvalidValue, shown
from flownb.core.jsonvalue import to_json
from flownb.core.settings_schema import STORE_NAME

LONGEST_KEY = 500
"""Characters."""

LONGEST_TTL = 100 * 366 * 86_400
"""Seconds."""


class NoSuchKey(FlowNBError):
    """There is nothing under that key, or not any more."""

    reason = "not_found"

    def __init__(self, store: str, key: str) -> None:
        super().__init__(f"data store {store!r} has no key {shown(key)}")


class Changed(FlowNBError):
    """What was to be replaced has been changed meanwhile by somebody else."""

    reason = "changed"

    def __init__(self, store: str, key: str) -> None:
        super().__init__(f"{shown(key)} of data store {store!r} has been changed meanwhile: look at it again")


def store_name(name: object) -> str:
    """``name``, where a data store may be called that; raises ``InvalidValue``."""
    if isinstance(name, str) and re.fullmatch(STORE_NAME, name):
        return name
    raise InvalidValue(
        "the name of a data store is 1 to 100 letters, digits, dots, dashes and underscores, and begins with a "
        f"letter or a digit, got {shown(name)}"
    )


def store_key(key: object) -> str:
    """``key``, where a value may be kept under it; raises ``InvalidValue``."""
    if not isinstance(key, str):
        raise InvalidValue(f"a key of a data store is a str, got {shown(key)} of type {type(key).__name__}")
    if not 1 <= len(key) <= LONGEST_KEY:
        raise InvalidValue(f"a key of a data store has 1 to {LONGEST_KEY} characters, got {len(key):,}")
    if "\0" in key or any("\ud800" <= character <= "\udfff" for character in key):
        raise InvalidValue(f"a key of a data store is text that UTF-8 can write, without NUL, got {shown(key)}")
    return key


def lifetime(ttl: object) -> int | None:
    """A ``ttl`` in seconds as milliseconds, None for what stays; raises ``InvalidValue``."""
    if ttl is None:
        return None
    number = isinstance(ttl, int | float) and not isinstance(ttl, bool)
    if not number or not 0 < ttl <= LONGEST_TTL:  # type: ignore[operator]
        raise InvalidValue(f"ttl is a number of seconds above 0, at most {LONGEST_TTL:,}, or None, got {shown(ttl)}")
    return math.ceil(ttl * 1000)  # type: ignore[operator]


def incremented(value: object, by: object, key: str) -> int | float:
    """A number and ``by``; None counts as 0. Raises ``InvalidValue`` where one is no number, or the sum is none."""
    for name, found in ((f"{shown(key)} holds", value), ("incr takes", by)):
        if found is not None and (isinstance(found, bool) or not isinstance(found, int | float)):
            raise InvalidValue(f"{name} {shown(found)}, which is no number to count with")
    try:
        total = (value or 0) + by  # type: ignore[operator]
    except OverflowError:
        raise InvalidValue(f"{shown(key)} would become too large") from None
    return to_json(total, f"the sum of {shown(key)} and {shown(by)}")  # type: ignore[return-value]
