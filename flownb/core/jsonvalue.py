"""What may cross a pause: JSON. Values are copied at the call, so that later changes do not alter the record."""

from __future__ import annotations

import json
import math

from flownb.core.errors import InvalidValue, shown

_TYPES = "a str, int, float, bool, None, list or dict"

DEEPEST = 200

DIGITS = 4_300
"""More than Python reads back from a text, unless told to."""

_TOO_LARGE = 10**DIGITS

_COMPACT = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def to_json(value: object, where: str, *, deepest: int = DEEPEST) -> object:
    """A copy of ``value`` in plain JSON types: str keys, finite numbers, tuples as lists.

    Raises ``InvalidValue`` that names the path of the first value that is not JSON, such as ``orders[3].price``.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)  # `str` of an Enum's member is its name
    if isinstance(value, int):
        if not -_TOO_LARGE < value < _TOO_LARGE:
            raise InvalidValue(f"{where} is an int of more than {DIGITS} digits: pass it as a str or a float")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidValue(f"{where} is {value!r}: JSON has finite numbers only")
        return float(value)
    if not isinstance(value, dict | list | tuple):
        kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
        raise InvalidValue(f"{where} is of type {kind}: JSON has {_TYPES} only")
    if deepest == 0:
        raise InvalidValue(f"{where} is nested more than {DEEPEST} levels deep, or contains itself")
    if isinstance(value, dict):
        pairs = ((_key(key, where), item) for key, item in value.items())
        return {key: to_json(item, f"{where}.{key}", deepest=deepest - 1) for key, item in pairs}
    return [to_json(item, f"{where}[{place}]", deepest=deepest - 1) for place, item in enumerate(value)]


def _key(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise InvalidValue(f"{where} has the key {shown(key)} of type {type(key).__name__}: JSON has str keys only")
    return str.__str__(key)


def dumps(value: object) -> str:
    """Compact JSON in ASCII, so that lone surrogates pass through SQLite, ZMQ and HTTP alike."""
    return _COMPACT.encode(value)


def sized(value: object, where: str, limit: int) -> object:
    """``to_json``, refusing what is larger than ``limit`` bytes when written."""
    copy = to_json(value, where)
    if (size := len(dumps(copy))) > limit:
        raise InvalidValue(
            f"{where} is {size:,} bytes as JSON, more than the {limit:,} allowed (setting max_export_bytes): "
            "write it to a file and export the path"
        )
    return copy
