"""What is said of data that does not fit a form, and where."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flownb.core.forms import complaints, unusable

ADDRESS = {
    "type": "object",
    "properties": {"street": {"type": "string"}, "number": {"type": "integer"}},
    "required": ["street"],
    "additionalProperties": False,
}
OPTIONAL_ADDRESS = {"$defs": {"A": ADDRESS}, "properties": {"a": {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]}}}
TRAVEL = {"properties": {"kind": {"const": "travel"}, "km": {"type": "number"}}, "required": ["kind", "km"]}
MEAL = {"properties": {"kind": {"const": "meal"}, "guests": {"type": "integer"}}, "required": ["kind", "guests"]}


def a(**schema: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": schema}}


@pytest.mark.parametrize(
    ("schema", "data", "expected"),
    [
        (a(minimum=1), {"a": 0}, {"a": "must be at least 1"}),
        (a(maximum=1.5), {"a": 2}, {"a": "must be at most 1.5"}),
        (a(exclusiveMinimum=0), {"a": 0}, {"a": "must be more than 0"}),
        (a(exclusiveMaximum=0), {"a": 0}, {"a": "must be less than 0"}),
        (a(multipleOf=5), {"a": 7}, {"a": "must be a multiple of 5"}),
        (a(minLength=1), {"a": ""}, {"a": "must have at least 1 character"}),
        (a(maxLength=2), {"a": "abc"}, {"a": "must have at most 2 characters"}),
        (a(pattern="^x$"), {"a": "y"}, {"a": "does not match the pattern ^x$"}),
        (a(minItems=1), {"a": []}, {"a": "must have at least 1 item"}),
        (a(maxItems=1), {"a": [1, 2]}, {"a": "must have at most 1 item"}),
        (a(uniqueItems=True), {"a": [1, 1]}, {"a": "has something twice"}),
        (a(type="integer"), {"a": "x"}, {"a": "must be a whole number"}),
        (a(type=["integer", "string", "null"]), {"a": []}, {"a": "must be a whole number, a text or empty"}),
        (a(enum=["x", 1, None]), {"a": 2}, {"a": "is not one of x, 1, null"}),
        (a(enum=list(range(12))), {"a": 12}, {"a": "is not one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 …"}),
        (a(const=True), {"a": False}, {"a": "must be true"}),
        (a(**{"not": {"type": "null"}}), {"a": None}, {"a": "is not accepted"}),
        (a(format="date"), {"a": "20261124"}, {"a": "is not a date, such as 2026-11-24"}),
        (a(format="date"), {"a": "2026-11-24"}, {}),
        (a(format="date"), {"a": 5}, {}),
        (a(format="time"), {"a": "25:00"}, {"a": "is not a time, such as 14:00"}),
        (a(format="email"), {"a": "kim@"}, {"a": "is not an e-mail address"}),
        (a(format="email"), {"a": "kim@example.org"}, {}),
        (a(format="uri"), {"a": "example.org"}, {"a": "is not an address, such as https://example.org"}),
        (a(format="uri"), {"a": "https://example.org/a?b#c"}, {}),
        (a(format="uri"), {"a": "mailto:kim@example.org"}, {}),
        (a(format="uri"), {"a": "http://[::1"}, {"a": "is not an address, such as https://example.org"}),
        (a(format="uuid"), {"a": "12"}, {"a": "is not a UUID"}),
        (a(format="nobody knows"), {"a": "12"}, {}),
        (a(format="date-time"), {"a": "2026-11-24T14:00:00.5+01:00"}, {}),
        (a(format="date-time"), {"a": "2026-11-24T14:00:00Z"}, {}),
        (
            a(format="date-time"),
            {"a": "2026-11-24T14:00:00"},
            {"a": "is not a date and time with its offset, such as 2026-11-24T14:00:00Z"},
        ),
        (ADDRESS, None, {"": "must be an object"}),
        (
            ADDRESS,
            {"zip": 1, "city": 2},
            {"street": "is required", "zip": "is not asked for", "city": "is not asked for"},
        ),
        ({"additionalProperties": {"type": "string"}}, {"x": 1}, {"x": "must be a text"}),
        (
            {"patternProperties": {"^x": {}}, "additionalProperties": False},
            {"xy": 1, "y": 1},
            {"y": "is not asked for"},
        ),
        ({"dependentRequired": {"a": ["b", "c"]}}, {"a": 1, "c": 1}, {"b": "is required"}),
        ({"minProperties": 1}, {}, {"": "must have at least 1 field"}),
        ({"properties": {"list": {"items": ADDRESS}}}, {"list": [{}]}, {"list.0.street": "is required"}),
        (OPTIONAL_ADDRESS, {"a": None}, {}),
        (OPTIONAL_ADDRESS, {"a": {"number": "x"}}, {"a.street": "is required", "a.number": "must be a whole number"}),
        (OPTIONAL_ADDRESS, {"a": 5}, {"a": "must be an object or empty"}),
        ({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]}, 0, {"": "must be at least 1"}),
        ({"anyOf": [{"enum": ["x", "y"]}, {"type": "null"}]}, "z", {"": "is not one of x, y"}),
        ({"oneOf": [{"const": 1}, {"const": "b"}]}, 3, {"": "is not one of 1, b"}),
        ({"oneOf": [TRAVEL, MEAL]}, {"kind": "meal"}, {"guests": "is required"}),
        ({"anyOf": [{"minimum": 5}, {"multipleOf": 2}]}, 3, {"": "fits none of the possibilities"}),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "type": "string"}, 1, {"": "must be a text"}),
        (True, 1, {}),
    ],
)
def test_what_is_wrong_stands_at_its_field(schema: Any, data: Any, expected: dict[str, str]) -> None:
    assert complaints(schema, data) == expected


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "objekt"}, "type: 'objekt' is not valid"),
        ({"properties": {"x": {"pattern": "("}}}, "properties.x.pattern: '(' is not a 'regex'"),
        ({"properties": []}, "properties: [] is not of type 'object'"),
        (5, "it is 5"),
        ("text", "it is 'text'"),
        (None, "it is None"),
    ],
)
def test_no_data_fits_what_is_no_schema(schema: Any, why: str) -> None:
    assert (unusable(schema) or "").startswith(why)
    assert complaints(schema, {})[""].startswith(f"the form is no usable JSON Schema: {why}")


def test_references_lead_nowhere_but_into_the_form() -> None:
    for reference in ("#/$defs/nobody", "http://127.0.0.1:9/schema.json", "#"):
        assert unusable({"$ref": reference}) is None
        assert complaints({"$ref": reference}, 1)[""].startswith("the form is no usable JSON Schema: ")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
KEYWORDS = st.sampled_from(
    ["type", "properties", "required", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "not"]
)
MORE = st.sampled_from(
    ["items", "format", "minimum", "minLength", "additionalProperties", "default", "title", "$schema"]
)
ANYTHING = JSON | st.dictionaries(KEYWORDS | MORE, JSON)


@given(ANYTHING, JSON)
def test_every_form_and_all_data_have_an_answer(schema: Any, data: Any) -> None:
    assert all(isinstance(what, str) for what in complaints(schema, data).values())
