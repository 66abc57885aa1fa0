"""Data stores on disk: paged in order, counted, with values that end by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from flownb.core.data import Changed, NoSuchKey
from flownb.store import data, sql
from flownb.store.engine import Database
from flownb.store.sqlite import open_database

NOW = 1_000


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    db = open_database(tmp_path / "db", "WAL")
    yield db
    db.close()


def test_pages_go_by_key_and_end_with_many_bytes(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("b/2", "a", "b/1", "c", "b", "é"):
        data.put(db, "one", key, key, NOW)
    data.put(db, "other", "b/0", None, NOW)

    def pages(**options: object) -> list[list[str]]:
        found: list[list[str]] = []
        after: str | None = ""
        while after is not None:
            page, after = data.page(db, "one", NOW, after=after, **options)  # type: ignore[arg-type]
            found.append([kept.key for kept in page])
        return found

    assert pages(limit=9) == [["a", "b", "b/1", "b/2", "c", "é"]]
    assert pages(limit=2) == [["a", "b"], ["b/1", "b/2"], ["c", "é"]]
    assert pages(limit=2, prefix="b/") == [["b/1", "b/2"]]
    assert pages(limit=1, prefix="b/") == [["b/1"], ["b/2"]]
    assert pages(limit=9, prefix="d") == [[]]
    monkeypatch.setattr(data, "PAGE_BYTES", 4)
    assert pages(limit=9) == [["a", "b"], ["b/1"], ["b/2"], ["c", "é"]]
    assert data.keys(db, "one", NOW, after="a", limit=2) == (["b", "b/1"], "b/1")
    assert data.keys(db, "one", NOW, after="b/2", limit=2) == (["c", "é"], None)


def test_what_has_had_its_time_is_not_there_and_goes_at_the_next_change(db: Database) -> None:
    data.put(db, "one", "short", 1, NOW, lives=10)
    data.put(db, "one", "long", 2, NOW)
    assert [kept.keys for kept in data.stores(db, NOW + 9)] == [2]
    later = NOW + 10
    assert data.get(db, "one", "short", later) is None
    assert data.size(db, "one", later) == data.StoreSize("one", 1, 1)
    assert data.keys(db, "one", later, after="", limit=9) == (["long"], None)
    assert [kept.key for kept in data.page(db, "one", later, limit=9)[0]] == ["long"]
    for gone in (partial(data.delete, now=later), partial(data.set_lifetime, lives=None, now=later)):
        with pytest.raises(NoSuchKey):
            gone(db, "one", "short")
    assert len(sql.column(db, "SELECT key FROM data")) == 2
    assert data.add(db, "one", "short", 5, later).value == 5
    assert len(sql.column(db, "SELECT key FROM data")) == 2
    data.put(db, "two", "x", 0, later, lives=1)
    data.put(db, "two", "y", 0, later + 1)
    assert sql.column(db, "SELECT key FROM data WHERE store = 'two'") == ["y"]


def test_a_lifetime_ends_with_a_new_value_unless_it_is_to_go_on(db: Database) -> None:
    data.put(db, "one", "k", 1, NOW, lives=10)
    assert data.add(db, "one", "k", 1, NOW + 5).expires_at == NOW + 10
    data.set_lifetime(db, "one", "k", 3, NOW + 5)
    assert data.put(db, "one", "k", 1, NOW + 6, keeps_time=True).expires_at == NOW + 8
    assert data.put(db, "one", "k", 1, NOW + 6).expires_at is None


def test_a_revision_is_never_used_again(db: Database) -> None:
    first = data.put(db, "one", "k", 1, NOW).revision
    data.delete(db, "one", "k", NOW)
    second = data.put(db, "one", "k", 1, NOW).revision
    assert second > first
    with pytest.raises(Changed):
        data.put(db, "one", "k", 2, NOW, guard=lambda before: before is not None and before.revision == first)
    assert data.get(db, "one", "k", NOW) == data.Kept("one", "k", 1, 1, second, NOW, None)
    data.clear(db, "one")
    assert data.stores(db, NOW) == []
