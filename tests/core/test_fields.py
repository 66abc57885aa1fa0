"""From a schema to its fields, from what was typed to data, and back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, HttpUrl, SecretStr

from flownb.core.fields import MOST, fields, initial, parse, placed
from flownb.core.forms import complaints
from tests.core.test_forms import ANYTHING, JSON


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Address(BaseModel):
    """Where somebody lives."""

    street: str = Field(title="Street name", description="with the number", min_length=2, max_length=80)
    code: str = "10115"
    abroad: bool = False


class Person(BaseModel):
    name: str
    children: list[Person] = []
    partner: Person | None = None


def one(annotation: Any, default: Any = ...) -> dict[str, Any]:
    """The schema of a model with one field, ``a``."""
    made = type(
        "Model", (BaseModel,), {"__annotations__": {"a": annotation}, **({} if default is ... else {"a": default})}
    )
    assert issubclass(made, BaseModel)
    return made.model_json_schema()


@pytest.mark.parametrize(
    ("annotation", "kind", "texts", "data"),
    [
        (str, "text", ["as typed "], "as typed "),
        (int, "integer", [" 12 "], 12),
        (float, "number", ["1.5"], 1.5),
        (float, "number", ["2"], 2),
        (Decimal, "number", ["12.50"], 12.5),
        (bool, "boolean", ["on"], True),
        (bool, "boolean", [], False),
        (bool, "boolean", ["No"], False),
        (Literal[True], "boolean", ["true"], True),
        (bool | None, "choice", ["false"], False),
        (bool | None, "choice", [], None),
        (Colour, "choice", ["blue"], "blue"),
        (Colour | None, "choice", ["blue"], "blue"),
        (Level, "choice", ["2"], 2),
        (Literal["x", 1, None], "choice", ["1"], 1),
        (Literal["x", 1, None], "choice", [], None),
        (Literal["1", 1], "choice", ['"1"'], "1"),
        (list[Colour], "many", ["red", "blue"], ["red", "blue"]),
        (set[Literal["p", "q"]], "many", ["q"], ["q"]),
        (set[Literal["p", "q"]], "many", [], []),
        (dt.date, "date", ["2026-11-24"], "2026-11-24"),
        (dt.datetime, "date-time", ["2026-11-24T14:00"], "2026-11-24T14:00:00+00:00"),
        (dt.datetime, "date-time", ["2026-11-24 14:00:05-02:00"], "2026-11-24T14:00:05-02:00"),
        (dt.time, "time", ["14:00"], "14:00:00"),
        (dt.timedelta, "text", ["P1D"], "P1D"),
        (SecretStr, "password", [" a b "], " a b "),
        (HttpUrl, "uri", [" https://example.org "], "https://example.org"),
        (list[str], "json", ['["x"]'], ["x"]),
        (dict[str, int], "json", ['{"x": 1}'], {"x": 1}),
        (int | str, "json", ['"x"'], "x"),
        (tuple[int, str], "json", ['[1, "x"]'], [1, "x"]),
        (Any, "json", ["5"], 5),
    ],
)
def test_a_field_of_a_model(annotation: Any, kind: str, texts: list[str], data: Any) -> None:
    schema = one(annotation)
    asked = fields(schema)
    (field,) = asked
    assert (field.name, field.label, field.kind) == ("a", "A", kind)
    assert parse(asked, {"a": texts}) == ({"a": data}, {})
    assert complaints(schema, {"a": data}) == {}
    if kind != "password":
        assert parse(asked, initial(asked, {"a": data})) == ({"a": data}, {})


@pytest.mark.parametrize(
    ("annotation", "text", "wrong"),
    [
        (int, "abc", "is not a whole number: 'abc'"),
        (int, "1.5", "is not a whole number: '1.5'"),
        (int, "1" * 5_000, "is not a whole number: '111"),
        (float, "12,50", "is not a number: '12,50'"),
        (float, "nan", "is not a number: 'nan'"),
        (float, "1e999", "is not a number: '1e999'"),
        (bool, "perhaps", "is neither yes nor no: 'perhaps'"),
        (Colour, "green", "is not one of red, blue: 'green'"),
        (list[Colour], "green", "is not one of red, blue: 'green'"),
        (dt.date, "24.11.", "is not a date, such as 2026-11-24: '24.11.'"),
        (dt.datetime, "noon", "is not a date and time, such as 2026-11-24 14:00: 'noon'"),
        (dt.time, "noon", "is not a time, such as 14:00: 'noon'"),
        (dict[str, int], "{a: 1}", "is not JSON (Expecting property name"),
        (dict[str, int], "[" * 100_000, "is not JSON ("),
        (Any, "NaN", "is not JSON (it is nan"),
    ],
)
def test_what_cannot_be_read_is_said_at_its_field(annotation: Any, text: str, wrong: str) -> None:
    data, errors = parse(fields(one(annotation)), {"a": [text]})
    assert data == {}
    assert errors["a"].startswith(wrong)


def test_what_stands_in_a_field() -> None:
    class Order(BaseModel):
        to: Address
        level: Level = Field(Level.HIGH, description="How soon.")
        number: int | None = Field(None, gt=0, le=9)
        weight: float = Field(gt=0)
        note: str = Field("", max_length=500)

    fields_of = {field.name: field for field in fields(Order.model_json_schema())}
    assert list(fields_of) == ["to.street", "to.code", "to.abroad", "level", "number", "weight", "note"]
    street = fields_of["to.street"]
    assert (street.label, street.help) == ("To: Street name", "with the number")
    assert (street.required, street.min_length, street.max_length) == (True, 2, 80)
    assert (fields_of["to.code"].required, fields_of["to.code"].default) == (False, "10115")
    level = fields_of["level"]
    assert (level.label, level.help, level.required, level.default) == ("Level", "How soon.", False, 2)
    assert [(choice.text, choice.label, choice.value) for choice in level.choices] == [("1", "1", 1), ("2", "2", 2)]
    assert (fields_of["number"].minimum, fields_of["number"].maximum) == (1, 9)
    assert fields_of["weight"].minimum == 0
    assert fields_of["note"].kind == "multiline"


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "contentMediaType": "text/markdown"}, "multiline"),
        ({"type": "string", "format": "email"}, "email"),
        ({"type": ["integer", "null"]}, "integer"),
        ({"const": "only"}, "choice"),
        ({"oneOf": [{"const": 1, "title": "one"}, {"const": 2, "title": "two"}]}, "choice"),
        ({"allOf": [{"$ref": "#/$defs/n"}], "$defs": {"n": {"type": "number"}}}, "number"),
        ({"type": "object"}, "json"),
        ({"type": "objekt"}, "json"),
        ({"type": "array", "items": {"type": "string"}}, "json"),
        ({"$ref": "#"}, "json"),
        ({"$ref": "#/$defs/nobody"}, "json"),
        ({"$ref": "http://127.0.0.1:9/schema.json"}, "json"),
        ({"properties": {f"f{number}": {"type": "string"} for number in range(MOST + 1)}}, "json"),
        ({}, "json"),
        (True, "json"),
        (None, "json"),
        (5, "json"),
    ],
)
def test_what_asks_for_no_object_is_one_field_without_a_name(schema: Any, kind: str) -> None:
    (field,) = fields(schema)
    assert (field.name, field.kind) == ("", kind)
    assert parse([field], {}) == (None, {})


def test_titles_are_labels() -> None:
    schema = {"title": "Which?", "oneOf": [{"const": 1, "title": "one"}, {"const": 2, "title": "two"}]}
    (field,) = fields(schema)
    assert (field.label, [choice.label for choice in field.choices]) == ("Which?", ["one", "two"])
    assert parse([field], {"": ["2"]}) == (2, {})
    assert [field.label for field in fields({"properties": {"due_date": {}, "b": {"title": "Until"}}})] == [
        "Due date",
        "Until",
    ]


def test_an_object_within_itself_is_asked_for_as_json() -> None:
    asked = fields(Person.model_json_schema())
    assert [(field.name, field.kind) for field in asked] == [
        ("name", "text"),
        ("children", "json"),
        ("partner", "json"),
    ]
    nested: dict[str, Any] = {"type": "integer"}
    for _ in range(60):
        nested = {"properties": {"x": nested}}
    assert [field.kind for field in fields(nested)] == ["json"]


def test_an_optional_object_that_nobody_touches_is_left_out() -> None:
    asked = fields(one(Address | None, None))
    assert not any(field.required for field in asked)
    assert parse(asked, initial(asked)) == ({}, {})
    assert parse(asked, {}) == ({}, {})
    data, _ = parse(asked, {**initial(asked), "a.abroad": ["true"]})
    assert data == {"a": {"code": "10115", "abroad": True}}
    assert complaints(one(Address | None, None), data) == {"a.street": "is required"}
    assert parse(fields(one(Address | None)), {}) == ({"a": None}, {})
    there = fields(one(Address, Address(street="Elm 1")))
    assert parse(there, initial(there)) == ({"a": {"street": "Elm 1", "code": "10115", "abroad": False}}, {})
    assert parse(fields(one(Address)), {}) == ({"a": {"code": "", "abroad": False}}, {})


def test_a_default_that_somebody_wipes_out_does_not_come_back() -> None:
    assert parse(fields(one(str, "Thanks!")), {"a": [""]}) == ({"a": ""}, {})
    assert parse(fields(one(int | None, 5)), {"a": [""]}) == ({"a": None}, {})
    assert parse(fields(one(set[Colour], {Colour.RED})), {}) == ({"a": []}, {})
    assert parse(fields(one(bool, True)), {}) == ({"a": False}, {})
    assert parse(fields(one(int, 5)), {"a": [""]}) == ({}, {})  # there is nothing else that it could be


def test_lines_end_as_they_do_elsewhere() -> None:
    asked = fields({"type": "string", "contentMediaType": "text/plain"})
    assert parse(asked, {"": ["a\r\nb"]}) == ("a\nb", {})


def test_secrets_are_not_shown_again() -> None:
    asked = fields(one(SecretStr))
    assert initial(asked, {"a": "hunter2"}) == {"a": []}


def test_complaints_stand_next_to_the_nearest_field() -> None:
    asked = fields({"properties": {"many": {"type": "array"}, "to": {"properties": {"street": {"type": "string"}}}}})
    errors = {
        "many.0.x": "is required",
        "many": "has something twice",
        "to.street": "is required",
        "to.zip": "no",
        "": "!",
    }
    assert placed(asked, errors) == {
        "many": "0.x: is required; has something twice",
        "to.street": "is required",
        "": "to.zip: no; !",
    }
    assert placed(fields({"type": "array"}), {"0.x": "is required"}) == {"": "0.x: is required"}


VALUES: Mapping[str, tuple[dict[str, Any], st.SearchStrategy[Any]]] = {
    "text": ({"type": "string"}, st.text(min_size=1)),
    "integer": ({"type": "integer"}, st.integers()),
    "number": ({"type": "number"}, st.floats(allow_nan=False, allow_infinity=False) | st.integers()),
    "boolean": ({"type": "boolean"}, st.booleans()),
    "choice": ({"enum": ["a", "", "1", 1, 1.5, True, [1]]}, st.sampled_from(["a", "", "1", 1, 1.5, True, [1]])),
    "many": ({"type": "array", "items": {"enum": ["a", 2]}}, st.lists(st.sampled_from(["a", 2]))),
    "date": ({"type": "string", "format": "date"}, st.dates().map(str)),
    "time": ({"type": "string", "format": "time"}, st.times().map(str)),
    "date-time": (
        {"type": "string", "format": "date-time"},
        st.datetimes(timezones=st.just(dt.UTC)).map(dt.datetime.isoformat),
    ),
    "json": ({"title": "anything"}, JSON.filter(lambda value: value is not None)),
}


@given(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=5), st.data())
def test_what_is_typed_for_valid_data_is_that_data(kinds: list[str], data: st.DataObject) -> None:
    kinds_of = {f"f{place}": VALUES[kind] for place, kind in enumerate(kinds)}
    properties: dict[str, Any] = {name: schema for name, (schema, _) in kinds_of.items()}
    inner = {"properties": properties, "required": [*properties]}
    outer = {**properties, "in": {"$ref": "#/$defs/inner"}}
    schema = {"properties": outer, "required": [*outer], "$defs": {"inner": inner}}
    value = {name: data.draw(values) for name, (_, values) in kinds_of.items()}
    whole = {**value, "in": value}
    asked = fields(schema)
    assert complaints(schema, whole) == {}
    assert parse(asked, initial(asked, whole)) == (whole, {})


@given(ANYTHING, st.text() | st.lists(st.text(), max_size=2))
def test_every_schema_has_fields_and_every_text_an_answer(schema: Any, typed: str | list[str]) -> None:
    asked = fields(schema)
    assert len({field.name for field in asked}) == len(asked) >= 1
    data, errors = parse(asked, {field.name: [typed] if isinstance(typed, str) else typed for field in asked})
    assert errors.keys() <= {field.name for field in asked}
    assert placed(asked, complaints(schema, data)).keys() <= {field.name for field in asked} | {""}
