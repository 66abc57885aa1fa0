"""What may cross a pause, and what is said of what may not."""

from __future__ import annotations

import json
import math
from datetime import date
from enum import Enum, IntEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flownb.core.errors import InvalidValue
from flownb.core.jsonvalue import DEEPEST, DIGITS, dumps, sized, to_json

texts = st.text() | st.text("a\udc00\udfff")
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=20)


@given(values)
def test_json_comes_back_as_it_was(value: object) -> None:
    copy = to_json(value, "value")
    assert copy == value
    assert json.loads(dumps(copy)) == value
    assert dumps(copy).isascii()


def test_the_copy_shares_nothing_that_can_change() -> None:
    inner = [1]
    copy = to_json({"a": inner}, "value")
    inner.append(2)
    assert copy == {"a": [1]}


def test_tuples_become_lists() -> None:
    assert to_json({"a": (1, (2,))}, "value") == {"a": [1, [2]]}


class Colour(str, Enum):  # noqa: UP042 - its `str` is "Colour.RED", that of a StrEnum is "red"
    RED = "red"


class Level(IntEnum):
    HIGH = 3


class Metres(float):
    pass


def test_subclasses_become_the_plain_values_that_they_hold() -> None:
    copy = to_json({Colour.RED: [Colour.RED, Level.HIGH, Metres(1.5)]}, "value")
    assert copy == {"red": ["red", 3, 1.5]}
    assert dumps(copy) == '{"red":["red",3,1.5]}'


class Int64:
    """A number of numpy's kind: an index, but no int."""

    def __index__(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ({"orders": [{}, {"price": math.nan}]}, "value.orders[1].price is nan: JSON has finite numbers only"),
        ([math.inf], "value[0] is inf: JSON has finite numbers only"),
        ({"at": date(2026, 1, 1)}, "value.at is of type datetime.date: JSON has "),
        ([{1}], "value[0] is of type set: JSON has "),
        ([b"x"], "value[0] is of type bytes: JSON has "),
        ([Int64()], "value[0] is of type tests.core.test_jsonvalue.Int64: JSON has "),
        ({"a": {1: 2}}, "value.a has the key 1 of type int: JSON has str keys only"),
        ({10**5_000: 2}, "value has the key a value of type int of type int: JSON has str keys only"),
        ({"a": 10**DIGITS}, "value.a is an int of more than 4300 digits"),
        ([-(10**DIGITS)], "value[0] is an int of more than 4300 digits"),
    ],
    ids=["nan", "inf", "date", "set", "bytes", "numpy", "key", "huge key", "huge", "huge negative"],
)
def test_what_is_not_json_is_named_with_its_path(value: object, complaint: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        to_json(value, "value")
    assert str(raised.value).startswith(complaint)


def test_the_longest_int_that_python_reads_back_is_taken() -> None:
    longest = 10**DIGITS - 1
    assert json.loads(dumps(to_json(longest, "value"))) == longest


def test_a_value_that_contains_itself_is_refused() -> None:
    endless: list[object] = []
    endless.append({"again": endless})
    with pytest.raises(InvalidValue, match="nested more than 200 levels deep, or contains itself"):
        to_json(endless, "value")


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


def test_depth_has_a_limit() -> None:
    assert json.loads(dumps(to_json(nested(DEEPEST), "value"))) == nested(DEEPEST)
    with pytest.raises(InvalidValue, match="nested"):
        to_json(nested(DEEPEST + 1), "value")


def test_size_has_a_limit() -> None:
    assert sized("x" * 98, "value", 100) == "x" * 98
    with pytest.raises(InvalidValue, match="value is 101 bytes as JSON, more than the 100 allowed"):
        sized("x" * 99, "value", 100)


def test_nan_never_gets_into_a_text() -> None:
    with pytest.raises(ValueError, match="JSON"):
        dumps(math.nan)
