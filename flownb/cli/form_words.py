"""The form of a pause told in lines, for who fills it in without being asked field by field."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator

from flownb.core.fields import Field, fields, initial, parse
from flownb.core.model import Json
from flownb.core.schemas import Choice

KINDS = {
    "multiline": "text",
    "password": "text",
    "email": "e-mail address",
    "uri": "address",
    "date-time": "date and time",
    "integer": "whole number",
    "boolean": "true or false",
    "json": "JSON",
}
SAMPLES = {
    "email": "name@example.org",
    "uri": "https://example.org",
    "date": "2026-11-24",
    "date-time": "2026-11-24T14:00:00Z",
    "time": "14:00:00",
    "boolean": "true",
    "json": "{}",
}


def how_to_fill(form: Json, execution: str, step: str) -> str:
    """What to write where nobody can be asked."""
    asked = fields(form)
    example = f"flownb resume {execution} --data {shlex.quote(json.dumps(_example(asked), ensure_ascii=False))}"
    lines = "\n".join(f"  {line}" for line in field_lines(asked))
    return f"step {step!r} waits with a form: give --data, as in\n  {example}\nIts fields:\n{lines}"


def field_lines(asked: Iterable[Field]) -> Iterator[str]:
    """One line a field: its name in the data, what it takes, what it is about."""
    for field in asked:
        about = ". ".join(text for text in (field.label, field.help) if text)
        yield f"{field.name or '(the data)'}: {', '.join(_takes(field))}  {about}"


def _takes(field: Field) -> Iterator[str]:
    if field.choices:
        yield f"{'any' if field.kind == 'many' else 'one'} of {' | '.join(map(_named, field.choices))}"
    else:
        yield KINDS.get(field.kind, field.kind)
    if field.required:
        yield "required"
    if field.minimum is not None:
        yield f"from {field.minimum}"
    if field.maximum is not None:
        yield f"to {field.maximum}"
    if field.max_length is not None:
        yield f"at most {field.max_length} characters"


def _named(choice: Choice) -> str:
    return choice.text if choice.label == choice.text else f"{choice.text} ({choice.label})"


def _example(asked: Iterable[Field]) -> Json:
    """Data of the right types, as far as the fields tell."""
    texts = {
        field.name: initial([field])[field.name] or ([_sample(field)] if field.required else []) for field in asked
    }
    return parse(asked, texts)[0]


def _sample(field: Field) -> str:
    if field.choices:
        return field.choices[0].text
    if field.kind in ("integer", "number"):
        return str(next(bound for bound in (field.minimum, field.maximum, 1) if bound is not None))
    return SAMPLES.get(field.kind, "text".ljust(field.min_length or 0, "."))
