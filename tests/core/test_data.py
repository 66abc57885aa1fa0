"""What may be kept in a data store, under which names and for how long."""

from __future__ import annotations

import math
from typing import Any

import pytest

from flownb.core.data import LONGEST_KEY, LONGEST_TTL, incremented, lifetime, store_key, store_name
from flownb.core.errors import InvalidValue


@pytest.mark.parametrize("name", ["a", "Orders.2026_x-1", "0", "a" * 100])
def test_names_that_can_stand_in_a_url(name: str) -> None:
    assert store_name(name) == name


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "a b", "a\n", "a" * 101, None, 5])
def test_other_names_are_refused(name: Any) -> None:
    with pytest.raises(InvalidValue, match="name of a data store"):
        store_name(name)


@pytest.mark.parametrize("key", ["a", "a/b?c=d#e", " ", "käse\n", "k" * LONGEST_KEY, "😀"])
def test_keys_are_any_text(key: str) -> None:
    assert store_key(key) == key


@pytest.mark.parametrize("key", ["", "k" * (LONGEST_KEY + 1), "a\0", "\ud800", 1, None, b"a"])
def test_other_keys_are_refused(key: Any) -> None:
    with pytest.raises(InvalidValue, match="key of a data store"):
        store_key(key)


@pytest.mark.parametrize(("ttl", "ms"), [(None, None), (1, 1000), (0.5, 500), (1e-9, 1), (LONGEST_TTL, 3162240000000)])
def test_a_ttl_is_in_seconds(ttl: Any, ms: int | None) -> None:
    assert lifetime(ttl) == ms


@pytest.mark.parametrize("ttl", [0, -1, math.nan, math.inf, LONGEST_TTL + 1, True, "5"])
def test_another_ttl_is_refused(ttl: Any) -> None:
    with pytest.raises(InvalidValue, match="ttl is a number of seconds"):
        lifetime(ttl)


@pytest.mark.parametrize(
    ("value", "by", "total"), [(None, 1, 1), (0, 2.5, 2.5), (7, -9, -2), (10**400, 1, 10**400 + 1)]
)
def test_numbers_are_counted_with(value: Any, by: Any, total: Any) -> None:
    assert incremented(value, by, "k") == total


@pytest.mark.parametrize(
    ("value", "by"), [("1", 1), ([], 1), (True, 1), (1, "1"), (1, False), (1.7e308, 1.7e308), (10**400, 0.5)]
)
def test_anything_else_is_not(value: Any, by: Any) -> None:
    with pytest.raises(InvalidValue):
        incremented(value, by, "k")
