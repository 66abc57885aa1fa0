"""Filling in a form at a terminal, field by field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.text import Text

from flownb.client import ApiError
from flownb.core.errors import InvalidValue
from flownb.core.fields import Field, fields, initial, parse, placed
from flownb.core.model import Json

NOTHING = "-"
"""What to type to empty a field that has something."""

HINTS = {
    "date": "such as 2026-11-24",
    "date-time": "such as 2026-11-24 14:00; UTC unless it says otherwise",
    "time": "such as 14:00",
    "many": "their numbers, with commas between",
    "json": "as JSON",
}

Send = Callable[[Json], dict[str, Any]]


def fill(form: Json, console: Console, send: Send) -> dict[str, Any]:
    """Ask for what a form wants and send it, until the server takes it; gives its answer.

    Where it refuses, it has said why: the fields that are wrong are asked for again. Raises ``InvalidValue`` where the
    input ends.
    """
    asked = fields(form)
    texts = initial(asked)
    wrong: dict[str, str] = {}
    while True:
        if whole := wrong.get(""):
            console.print(Text(f"  {whole}", "red"), soft_wrap=True)
        for field in [field for field in asked if field.name in wrong] or asked:
            texts[field.name] = _answer(field, texts[field.name], wrong.get(field.name), console)
        try:
            return send(parse(asked, texts)[0])
        except ApiError as error:
            if not error.errors:
                raise
            wrong = placed(asked, error.errors)


def _answer(field: Field, before: list[str], wrong: str | None, console: Console) -> list[str]:
    """What somebody types for a field, once it can be read; ``before`` is what is there already."""
    console.print(_heading(field), soft_wrap=True)
    while True:
        if wrong and field.name:
            console.print(Text(f"  {wrong}", "red"), soft_wrap=True)
        typed = _typed(field, before, console)
        wrong = parse([field], {field.name: typed})[1].get(field.name)
        if field.required and not typed:
            wrong = "is required"
        if wrong is None:
            return typed


def _heading(field: Field) -> Text:
    text = Text(field.label, "bold")
    if not field.required and field.kind != "boolean":
        text.append("  optional", "dim")
    for about in (field.help, HINTS.get(field.kind)):
        if about:
            text.append(f"  {about}", "dim")
    for place, choice in enumerate(field.choices, 1):
        text.append(f"\n  {place:2}  {choice.label}", "not bold")
    return text


def _typed(field: Field, before: list[str], console: Console) -> list[str]:
    kept = field.kind != "password" and before
    shown = ", ".join(before) if kept else ""
    if field.kind == "boolean":
        shown = "yes" if before else "no"
    elif kept and not field.required:
        shown += f"; {NOTHING} for none"
    try:
        said = console.input(Text(f"  [{shown}] > " if shown else "  > "), password=field.kind == "password")
    except EOFError:
        raise InvalidValue("the input has ended: nothing was sent") from None
    if not said.strip():
        return before if kept else []
    if kept and not field.required and said.strip() == NOTHING:
        return []
    return [_choice(field, one.strip()) for one in said.split(",")] if field.kind == "many" else [_choice(field, said)]


def _choice(field: Field, said: str) -> str:
    """The text of the choice that is meant by its text, its label or its number in the list."""
    numbers = {str(place): choice.text for place, choice in enumerate(field.choices, 1)}
    labels = {choice.label.lower(): choice.text for choice in field.choices}
    texts = {choice.text: choice.text for choice in field.choices}
    return {**numbers, **labels, **texts}.get(said, labels.get(said.strip().lower(), said))
