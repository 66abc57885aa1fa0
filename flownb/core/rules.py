"""The rules of a JSON Schema in the words of people: what a value that breaks one is not, or must be."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from jsonschema import FormatChecker, ValidationError

from flownb.core.model import Json

NAMED = 10
"""So many values are named where one of them is wanted."""

TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "empty",
}


def said(error: ValidationError) -> str:
    """What is wrong with the value of one error, worded so that its field's name may stand before it."""
    limit: Any = error.validator_value
    wording = WORDINGS.get(str(error.validator))
    try:
        return wording(limit) if wording else error.message
    except (ValueError, TypeError):  # a limit of a type that the keyword does not have in its dialect
        return error.message


def must_be(types: Json) -> str:
    """That a value is of the wrong type."""
    names = types if isinstance(types, list) else [types]
    return f"must be {_or(TYPES.get(name, str(name)) for name in names)}"


def not_one_of(values: Iterable[Json]) -> str:
    """That a value is none of those."""
    named = [value if isinstance(value, str) else json.dumps(value) for value in values]
    return f"is not one of {', '.join(named[:NAMED])}{' …' if len(named) > NAMED else ''}"


def _or(words: Iterable[str]) -> str:
    *some, last = dict.fromkeys(words)
    return f"{', '.join(some)} or {last}" if some else last


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


WORDINGS: dict[str, Callable[[Any], str]] = {
    "type": must_be,
    "enum": not_one_of,
    "const": lambda value: f"must be {value if isinstance(value, str) else json.dumps(value)}",
    "minimum": lambda limit: f"must be at least {limit}",
    "maximum": lambda limit: f"must be at most {limit}",
    "exclusiveMinimum": lambda limit: f"must be more than {limit}",
    "exclusiveMaximum": lambda limit: f"must be less than {limit}",
    "multipleOf": lambda limit: f"must be a multiple of {limit}",
    "minLength": lambda limit: f"must have at least {_counted(limit, 'character')}",
    "maxLength": lambda limit: f"must have at most {_counted(limit, 'character')}",
    "pattern": lambda pattern: f"does not match the pattern {pattern}",
    "minItems": lambda limit: f"must have at least {_counted(limit, 'item')}",
    "maxItems": lambda limit: f"must have at most {_counted(limit, 'item')}",
    "uniqueItems": lambda _: "has something twice",
    "minProperties": lambda limit: f"must have at least {_counted(limit, 'field')}",
    "maxProperties": lambda limit: f"must have at most {_counted(limit, 'field')}",
    "not": lambda _: "is not accepted",
    "format": lambda name: f"is not {FORMATS[name][1]}",
}


def _is_date_time(text: str) -> bool:
    return "T" in text.upper() and datetime.fromisoformat(text).tzinfo is not None


def _is_uri(text: str) -> bool:
    parts = urlsplit(text)
    return bool(parts.scheme and (parts.netloc or parts.path)) and not re.search(r"\s", text)


FORMATS: dict[str, tuple[Callable[[str], object], str]] = {
    "date": (lambda text: date.fromisoformat(text).isoformat() == text, "a date, such as 2026-11-24"),
    "date-time": (_is_date_time, "a date and time with its offset, such as 2026-11-24T14:00:00Z"),
    "time": (time.fromisoformat, "a time, such as 14:00"),
    "email": (lambda text: re.fullmatch(r"[^@\s]+@[^@\s]+", text), "an e-mail address"),
    "uri": (_is_uri, "an address, such as https://example.org"),
    "uuid": (lambda text: str(UUID(text)) == text.lower(), "a UUID"),
}
"""How a text of each format is known, and what it is called. The library's own would depend on what is installed."""


def _check(known: Callable[[str], object]) -> Callable[[object], bool]:
    return lambda value: not isinstance(value, str) or known(value) not in (None, False)


FORMAT_CHECKER = FormatChecker(formats=())
for _name, (_known, _) in FORMATS.items():
    FORMAT_CHECKER.checks(_name, raises=ValueError)(_check(_known))
