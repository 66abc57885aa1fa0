"""The fields of a form: what a JSON Schema asks people for, and the data that their typed texts stand for.

The rules about what is accepted are those of ``flownb.core.forms``; here a text becomes a value of the right type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from types import EllipsisType
from typing import Any, NamedTuple

from flownb.core.model import Json
from flownb.core.schemas import Choice, Part, choices, taken_apart
from flownb.core.typed import Kind, filled, read, write

Texts = Mapping[str, list[str]]
"""What was typed, by the names of fields, as browsers send forms: a box that is not ticked is not there."""

MOST = 200
"""Fields of one form; a schema that has more is asked for as JSON."""

DEEPEST = 8
"""Objects within objects that get fields of their own."""

LONG = 200
"""Characters beyond which a text gets several lines."""

ANSWER = "Answer"
"""What the one field of a form is called that asks for no object."""

FORMATS: tuple[Kind, ...] = ("password", "email", "uri", "date", "date-time", "time")


@dataclass(frozen=True)
class Group:
    """An object that may be left out, as it is where nobody changed any of its fields; ``blank`` stands for it then."""

    path: tuple[str, ...]
    blank: Json | EllipsisType


@dataclass(frozen=True)
class Field:
    """One thing to fill in.

    ``name`` is its place in the data, dotted, as ``complaints`` names it; "" where the data is no object. ``required``
    says that it cannot be left empty; ``blank`` is the value if it is, ``...`` for none. ``minimum`` and ``maximum``
    are inclusive, and for fractions a little wider than the rule may be.
    """

    name: str
    label: str
    kind: Kind
    required: bool = False
    default: Json = None
    choices: tuple[Choice, ...] = ()
    help: str = ""
    minimum: float | None = None
    maximum: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    path: tuple[str, ...] = ()
    blank: Json | EllipsisType = ...
    groups: tuple[Group, ...] = ()


def fields(schema: Json) -> tuple[Field, ...]:
    """The fields that ask for what a JSON Schema describes; one for JSON where nothing better is known."""
    whole = taken_apart(schema)
    if not whole.properties():
        return (_field(whole, _Place((), (whole.text("title") or ANSWER,)), True, whole.keywords.get("default")),)
    found = tuple(islice(_of_object(whole, whole.keywords.get("default"), _Place()), MOST + 1))
    return found if len(found) <= MOST else (Field("", ANSWER, "json", required=True),)


def initial(asked: Iterable[Field], data: Json = None) -> dict[str, list[str]]:
    """The texts to begin with: those of ``data`` where it has something, else of the defaults."""
    return {field.name: write(field.kind, _at(data, field), field.choices) for field in asked}


def parse(asked: Iterable[Field], texts: Texts) -> tuple[Json, dict[str, str]]:
    """The data that the texts stand for, and what cannot be read, by field; whether it fits is for ``complaints``."""
    asked = tuple(asked)
    before = initial(asked)
    changed = (field for field in asked if _filled(field, texts) not in ([], filled(field.kind, before[field.name])))
    used = {group for field in changed for group in field.groups}
    found: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for field in asked:
        unused = next((group for group in field.groups if group not in used), None)
        try:
            value = unused.blank if unused else _value(field, texts)
        except ValueError as error:
            errors[field.name] = str(error)
            value = ...
        _put(found, ("", *(unused or field).path), value)
    return found.get(""), errors


def placed(asked: Iterable[Field], errors: Mapping[str, str]) -> dict[str, str]:
    """Complaints by the field that they stand next to; those next to none are together at ``""``, with their names."""
    names = {field.name for field in asked}
    found: dict[str, list[str]] = {}
    for where, what in errors.items():
        parts = where.split(".") if where else []
        sizes = range(len(parts), 0, -1)
        name = next((name for size in sizes if (name := ".".join(parts[:size])) in names), "")
        within = where.removeprefix(name).removeprefix(".")
        found.setdefault(name, []).append(f"{within}: {what}" if within else what)
    return {name: "; ".join(said) for name, said in found.items()}


def _filled(field: Field, texts: Texts) -> list[str]:
    return filled(field.kind, texts.get(field.name, ()))


def _value(field: Field, texts: Texts) -> Json | EllipsisType:
    given = _filled(field, texts)
    return read(field.kind, given, field.choices) if given else field.blank


def _put(found: dict[str, Any], path: tuple[str, ...], value: Json | EllipsisType) -> None:
    """Put a value in its place; ``...`` makes the objects around it all the same."""
    for name in path[:-1]:
        found = found.setdefault(name, {})
    if value is not ...:
        found[path[-1]] = value


def _at(data: Json, field: Field) -> Json:
    for name in field.path:
        data = data.get(name) if isinstance(data, Mapping) else None
    return field.default if data is None else data


class _Place(NamedTuple):
    """A place in the data: its path, the labels along it, and the objects around it that may be left out."""

    path: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()


def _of_object(part: Part, default: Json, place: _Place) -> Iterator[Field]:
    defaults = default if isinstance(default, Mapping) else {}
    for name, schema in part.properties().items():
        inner, there = part.inner(schema), part.requires(name)
        own = defaults.get(name, inner.keywords.get("default"))
        path, labels = (*place.path, name), (*place.labels, inner.text("title") or _words(name))
        if inner.properties() and len(path) <= DEEPEST:
            stays = own is not None or (there and not inner.nullable)
            groups = place.groups if stays else (*place.groups, Group(path, None if there else ...))
            yield from _of_object(inner, own, _Place(path, labels, groups))
        else:
            yield _field(inner, _Place(path, labels, place.groups), there, own)


def _field(part: Part, place: _Place, there: bool, default: Json) -> Field:
    """The field of what is no object with properties; ``there`` where the value has to be."""
    kind, offered = _kind(part)
    if default is None and there and kind == "choice" and len(offered) == 1:
        default = offered[0].value
    return Field(
        name=".".join(place.path),
        label=": ".join(place.labels),
        kind=kind,
        required=not place.groups and _needs_somebody(part, kind, there),
        default=default,
        choices=offered,
        help=part.text("description"),
        minimum=_bound(part, kind, "minimum", "exclusiveMinimum", 1),
        maximum=_bound(part, kind, "maximum", "exclusiveMaximum", -1),
        min_length=_count(part, "minLength"),
        max_length=_count(part, "maxLength"),
        path=place.path,
        blank=_blank(part, kind, there, default),
        groups=place.groups,
    )


def _kind(part: Part) -> tuple[Kind, tuple[Choice, ...]]:
    offered = choices(part)
    if part.types == ("boolean",) and len(offered) < 2:
        if not part.nullable:
            return "boolean", ()
        return "choice", (Choice("true", "Yes", True), Choice("false", "No", False))
    if offered:
        return "choice", offered
    if part.types == ("array",):
        several = choices(part.inner(part.keywords.get("items")))
        return ("many", several) if several else ("json", ())
    if part.types == ("integer",):
        return "integer", ()
    if part.types in (("number",), ("number", "string"), ("integer", "number"), ("number", "integer")):
        return "number", ()  # a text besides is pydantic's other way to write a Decimal
    if part.types != ("string",):
        return "json", ()
    long = part.text("contentMediaType").startswith("text/") or (_count(part, "maxLength") or 0) > LONG
    plain: Kind = "multiline" if long else "text"
    return next((kind for kind in FORMATS if kind == part.text("format")), plain), ()


def _needs_somebody(part: Part, kind: Kind, there: bool) -> bool:
    if kind == "boolean":
        return there and part.keywords.get("const") is True
    if kind == "many":
        return there and bool(_count(part, "minItems"))
    return there and not part.nullable


def _blank(part: Part, kind: Kind, there: bool, default: Json) -> Json | EllipsisType:
    if kind == "boolean":
        return False
    if kind == "many":
        return []
    if part.nullable and (there or default is not None):
        return None
    return "" if default and kind in ("text", "multiline") else ...  # somebody has wiped it out


def _bound(part: Part, kind: Kind, inclusive: str, exclusive: str, step: int) -> float | None:
    outside = part.number(exclusive)
    if outside is not None and kind == "integer":
        outside += step
    found = [bound for bound in (part.number(inclusive), outside) if bound is not None]
    return (max if step > 0 else min)(found) if found else None


def _count(part: Part, keyword: str) -> int | None:
    value = part.number(keyword)
    return int(value) if value is not None else None


def _words(name: str) -> str:
    """A name in a program as people write it: ``due_date`` is ``Due date``."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]
