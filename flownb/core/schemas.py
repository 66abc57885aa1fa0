"""A JSON Schema taken apart, as far as a form needs it: references followed, wrappings taken off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012, UnknownDialect, specification_with

from flownb.core.jsonvalue import dumps
from flownb.core.model import Json

WRAPPINGS = ("$ref", "allOf", "anyOf", "oneOf", "type")
NULL = "null"


@dataclass(frozen=True)
class Choice:
    """One of the values that may be chosen: the ``text`` that stands for it in a form, and what people read."""

    text: str
    label: str
    value: Json


@dataclass(frozen=True)
class Part:
    """A schema in its plain form, and whether null is accepted besides.

    ``keywords`` has what its references and ``allOf`` say as well; ``types`` are the types of its values besides null,
    in the schema's order, empty where it does not say; ``either`` are the alternatives that are left of ``anyOf`` and
    ``oneOf``. ``seen`` holds the references that led here.
    """

    document: Json
    keywords: Mapping[str, Any]
    types: tuple[str, ...] = ()
    either: tuple[Part, ...] = ()
    nullable: bool = False
    seen: tuple[str, ...] = ()

    def inner(self, schema: Json) -> Part:
        """A schema within this one."""
        return _part(self.document, schema, self.seen)

    def number(self, keyword: str) -> float | None:
        """The value of a keyword that limits something."""
        value = self.keywords.get(keyword)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    def text(self, keyword: str) -> str:
        """The value of a keyword for people, or which names something."""
        value = self.keywords.get(keyword)
        return value if isinstance(value, str) else ""

    def properties(self) -> Mapping[str, Any]:
        """The properties of an object; empty for what is none, or names none."""
        return _mapping(self, "properties") if set(self.types) <= {"object"} else {}

    def requires(self, name: str) -> bool:
        """Whether a property has to be there."""
        return name in _listed(self.keywords, "required")


def taken_apart(schema: Json) -> Part:
    """A whole schema; what is none accepts everything here."""
    return _part(schema, schema, ())


def _part(document: Json, schema: Json, seen: tuple[str, ...]) -> Part:
    if not isinstance(schema, Mapping):
        return Part(document, {}, seen=seen)
    own = _typed(Part(document, {key: schema[key] for key in schema if key not in WRAPPINGS}, seen=seen), schema)
    return reduce(_both, [*_wrapped(document, schema, seen), own])


def _wrapped(document: Json, schema: Mapping[str, Any], seen: tuple[str, ...]) -> Iterator[Part]:
    """What a schema refers to and contains, and which holds for the same value as it does itself."""
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference not in seen:  # one that was is an object within itself
        found = _part(document, _looked_up(document, reference), (*seen, reference))
        yield replace(found, keywords={key: value for key, value in found.keywords.items() if key != "title"})
    for part in _listed(schema, "allOf"):
        yield _part(document, part, seen)
    for alternatives in (_listed(schema, "anyOf"), _listed(schema, "oneOf")):
        either = tuple(_part(document, each, seen) for each in alternatives if not _is_null(each))
        if either:
            nullable = len(either) < len(alternatives) or any(part.nullable for part in either)
            types = tuple(dict.fromkeys(kind for part in either for kind in part.types))
            one = Part(document, {}, types, either, seen=seen) if len(either) > 1 else either[0]
            yield replace(one, nullable=nullable)


def _typed(part: Part, schema: Mapping[str, Any]) -> Part:
    named = schema.get("type")
    types = tuple(kind for kind in (named if isinstance(named, list) else [named]) if isinstance(kind, str))
    nullable = NULL in types or None in _listed(schema, "enum")
    return replace(part, types=tuple(kind for kind in types if kind != NULL), nullable=nullable)


def _both(one: Part, other: Part) -> Part:
    """Two that hold for the same value; the second one's words win."""
    keywords = {**one.keywords, **other.keywords}
    keywords["properties"] = {**_mapping(one, "properties"), **_mapping(other, "properties")}
    keywords["required"] = [*_listed(one.keywords, "required"), *_listed(other.keywords, "required")]
    return Part(
        document=one.document,
        keywords=keywords,
        types=other.types or one.types,
        either=other.either or one.either,
        nullable=one.nullable or other.nullable,
        seen=tuple(dict.fromkeys((*one.seen, *other.seen))),
    )


def _is_null(schema: Json) -> bool:
    return isinstance(schema, Mapping) and (schema.get("type") == NULL or schema.get("const", ...) is None)


def _mapping(part: Part, keyword: str) -> Mapping[str, Any]:
    found = part.keywords.get(keyword)
    return found if isinstance(found, Mapping) else {}


def _listed(schema: Mapping[str, Any], keyword: str) -> list[Any]:
    found = schema.get(keyword)
    return found if isinstance(found, list) else []


def _looked_up(document: Json, reference: str) -> Json:
    """What a reference within the document points at; anything goes where it leads nowhere, or elsewhere."""
    try:
        dialect = document.get("$schema", "") if isinstance(document, Mapping) else ""
        resource = specification_with(dialect, default=DRAFT202012).create_resource(document)
        return Registry().resolver_with_root(resource).lookup(reference).contents
    except (Unresolvable, UnknownDialect, TypeError, AttributeError, ValueError):
        return True


def choices(part: Part) -> tuple[Choice, ...]:
    """The values besides null that a schema names one by one; empty where it does not."""
    named = [_named(one) for one in part.either] if part.either else [[("", value) for _, value in _named(part)]]
    if not all(named):
        return ()
    pairs = [(title, value) for some in named for title, value in some if value is not None]
    plain = [value if isinstance(value, str) else dumps(value) for _, value in pairs]
    unique = all(plain) and len(set(plain)) == len(plain)
    texts = plain if unique else [dumps(value) for _, value in pairs]
    return tuple(
        Choice(text, title or shown, value) for text, shown, (title, value) in zip(texts, plain, pairs, strict=True)
    )


def _named(part: Part) -> list[tuple[str, Json]]:
    """Pairs of title and value."""
    if "const" in part.keywords:
        return [(part.text("title"), part.keywords["const"])]
    return [("", value) for value in _listed(part.keywords, "enum")]
