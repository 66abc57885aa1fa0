"""JSON values as people type them: texts to values, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time
from typing import Literal

from flownb.core.errors import shown
from flownb.core.jsonvalue import dumps, to_json
from flownb.core.model import Json
from flownb.core.schemas import Choice

Kind = Literal[
    "text",
    "multiline",
    "password",
    "email",
    "uri",
    "date",
    "date-time",
    "time",
    "integer",
    "number",
    "boolean",
    "choice",
    "many",
    "json",
]
"""How a value is typed: ``choice`` is one of its choices, ``many`` any of them, ``json`` a JSON text of any sort."""

AS_TYPED = ("text", "multiline", "password")
"""Kinds to which spaces matter."""

YES, NO = ("true", "yes", "y", "on", "1"), ("false", "no", "n", "off", "0")


def filled(kind: Kind, texts: Iterable[str]) -> list[str]:
    """The texts that hold something."""
    return [text for text in texts if (text if kind in AS_TYPED else text.strip())]


def read(kind: Kind, texts: Sequence[str], choices: Iterable[Choice] = ()) -> Json:
    """The value of one or more texts that hold something; the last one counts but for ``many``.

    Raises ``ValueError``, worded so that a field's name may stand before it.
    """
    if kind == "many":
        return [_chosen(text, choices) for text in texts]
    if kind == "choice":
        return _chosen(texts[-1], choices)
    return READERS[kind](texts[-1])


def write(kind: Kind, value: Json, choices: Iterable[Choice] = ()) -> list[str]:
    """The texts that ``read`` makes this value of; none for null, for False, and for what is not to be seen."""
    if value is None or (value is False and kind == "boolean") or kind == "password":
        return []
    if kind in ("choice", "many"):
        values = value if kind == "many" and isinstance(value, list) else [value]
        return [choice.text for one in values for choice in choices if dumps(choice.value) == dumps(one)]
    return [value if isinstance(value, str) and kind != "json" else json.dumps(value, ensure_ascii=False)]


def _chosen(text: str, choices: Iterable[Choice]) -> Json:
    for choice in choices:
        if choice.text == text:
            return choice.value
    raise ValueError(f"is not one of {', '.join(choice.label for choice in choices)}: {shown(text)}")


def _boolean(text: str) -> bool:
    said = text.strip().lower()
    if said not in YES + NO:
        raise ValueError(f"is neither yes nor no: {shown(text)}")
    return said in YES


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"is not a whole number: {shown(text)}") from None


def _number(text: str) -> Json:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return to_json(float(text), "it")
    except ValueError:
        raise ValueError(f"is not a number: {shown(text)}") from None


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise ValueError(f"is not a date, such as 2026-11-24: {shown(text)}") from None


def _date_time(text: str) -> str:
    """With its offset, as the standard wants; where none is typed it is UTC."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"is not a date and time, such as 2026-11-24 14:00: {shown(text)}") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).isoformat()


def _time(text: str) -> str:
    try:
        return time.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise ValueError(f"is not a time, such as 14:00: {shown(text)}") from None


def _json(text: str) -> Json:
    try:
        return to_json(json.loads(text), "it")
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is not JSON ({error})") from None


READERS: dict[Kind, Callable[[str], Json]] = {
    "text": str,
    "multiline": lambda text: text.replace("\r\n", "\n"),  # as browsers end lines
    "password": str,
    "email": str.strip,
    "uri": str.strip,
    "date": _date,
    "date-time": _date_time,
    "time": _time,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "json": _json,
}
