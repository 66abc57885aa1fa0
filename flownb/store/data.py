"""Data stores: what workflows keep between their executions. A value whose time is over counts as not there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flownb.core.data import Changed, NoSuchKey, incremented
from flownb.core.jsonvalue import dumps
from flownb.core.model import Json
from flownb.store import sql
from flownb.store.engine import Database

MOST_REMOVED = 100
"""Values whose time is over that a change removes along the way."""

PAGE_BYTES = 1024 * 1024
"""A page of values ends with the one that goes beyond it."""

_THERE = "(expires_at IS NULL OR expires_at > ?)"
_REVISION = "data revision"


@dataclass(frozen=True)
class Kept:
    """A value under its key: ``size`` in bytes of JSON, times in ms since 1970; a change gives a new ``revision``."""

    store: str
    key: str
    value: Json
    size: int
    revision: int
    changed_at: int
    expires_at: int | None


@dataclass(frozen=True)
class StoreSize:
    """How much a store has."""

    name: str
    keys: int
    bytes: int


Guard = Callable[[Kept | None], bool]
"""Whether what is there now may be replaced."""


def stores(db: Database, now: int) -> list[StoreSize]:
    """All stores that have something, by name."""
    sizes = f"""SELECT store, count(*) AS keys, sum(size) AS bytes FROM data INDEXED BY data_sizes
                WHERE {_THERE} GROUP BY store ORDER BY store"""  # noqa: S608 - constants
    return [StoreSize(row["store"], row["keys"], row["bytes"]) for row in sql.query(db, sizes, now)]


def size(db: Database, store: str, now: int) -> StoreSize:
    """How much one store has."""
    sizes = f"""SELECT count(*) AS keys, coalesce(sum(size), 0) AS bytes FROM data INDEXED BY data_sizes
                WHERE store = ? AND {_THERE}"""  # noqa: S608 - constants
    (row,) = sql.query(db, sizes, store, now)
    return StoreSize(store, row["keys"], row["bytes"])


def get(db: Database, store: str, key: str, now: int) -> Kept | None:
    """What is kept under a key."""
    row = sql.first_row(db, f"SELECT * FROM data WHERE store = ? AND key = ? AND {_THERE}", store, key, now)  # noqa: S608
    return _kept(row) if row else None


def page(
    db: Database, store: str, now: int, *, prefix: str = "", after: str = "", limit: int
) -> tuple[list[Kept], str | None]:
    """Values by the order of their keys, and the key to ask for those that come ``after`` it.

    At most ``limit``, and no more when they are ``PAGE_BYTES``.
    """
    following = f"""SELECT * FROM data WHERE store = ? AND key >= ? AND key <> ? AND {_THERE}
                    ORDER BY key LIMIT ?"""  # noqa: S608 - constants
    found: list[Kept] = []
    room = PAGE_BYTES
    cursor = db.execute(following, (store, max(after, prefix), after, now, limit + 1))
    names = [column[0] for column in cursor.description]
    for row in cursor:
        kept = _kept(dict(zip(names, row, strict=True)))
        if not kept.key.startswith(prefix):
            break
        if len(found) == limit or room <= 0:
            return found, found[-1].key
        found.append(kept)
        room -= kept.size
    return found, None


def keys(db: Database, store: str, now: int, *, after: str, limit: int) -> tuple[list[str], str | None]:
    """Keys in their order, without what is under them, and the key to ask for those that come ``after`` it."""
    following = f"SELECT key FROM data WHERE store = ? AND key > ? AND {_THERE} ORDER BY key LIMIT ?"  # noqa: S608
    found = sql.column(db, following, store, after, now, limit + 1)
    return found[:limit], found[limit - 1] if len(found) > limit else None


def put(
    db: Database,
    store: str,
    key: str,
    value: Json,
    now: int,
    *,
    lives: int | None = None,
    keeps_time: bool = False,
    guard: Guard = lambda before: True,
) -> Kept:
    """Keep a value for ``lives`` ms, None for ever; with ``keeps_time``, for as long as the one before it would be.

    Raises ``Changed`` where ``guard`` is against it.
    """
    _remove_expired(db, now)
    before = get(db, store, key, now)
    if not guard(before):
        raise Changed(store, key)
    written = dumps(value)
    expires_at = now + lives if lives is not None else before.expires_at if before and keeps_time else None
    row = {
        "store": store,
        "key": key,
        "value": written,
        "size": len(written),
        "revision": _next_revision(db),
        "changed_at": now,
        "expires_at": expires_at,
    }
    sql.put(db, "data", row, ("store", "key"))
    return _kept(row)


def add(db: Database, store: str, key: str, by: Json, now: int) -> Kept:
    """Add to a number; what is not there counts as 0. Raises ``InvalidValue``."""
    before = get(db, store, key, now)
    return put(db, store, key, incremented(before and before.value, by, key), now, keeps_time=True)


def set_lifetime(db: Database, store: str, key: str, lives: int | None, now: int) -> None:
    """Keep what is there for so many ms from now on, None for ever. Raises ``NoSuchKey``."""
    if get(db, store, key, now) is None:
        raise NoSuchKey(store, key)
    expires_at = now + lives if lives is not None else None
    sql.update(db, "data", {"expires_at": expires_at}, "store = ? AND key = ?", store, key)


def delete(db: Database, store: str, key: str, now: int) -> Kept:
    """Forget a key; gives what was there. Raises ``NoSuchKey``."""
    before = get(db, store, key, now)
    if before is None:
        raise NoSuchKey(store, key)
    db.execute("DELETE FROM data WHERE store = ? AND key = ?", (store, key))
    return before


def clear(db: Database, store: str) -> None:
    """Forget all keys of a store."""
    db.execute("DELETE FROM data WHERE store = ?", (store,))


def _remove_expired(db: Database, now: int) -> None:
    over = "SELECT store, key FROM data INDEXED BY data_expires WHERE expires_at <= ? ORDER BY expires_at LIMIT ?"
    for row in db.execute(over, (now, MOST_REMOVED)).fetchall():
        db.execute("DELETE FROM data WHERE store = ? AND key = ?", row)


def _next_revision(db: Database) -> int:
    following = """INSERT INTO meta VALUES (?, '1')
                   ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(meta.value AS BIGINT) + 1 AS TEXT)
                   RETURNING value"""
    return int(db.execute(following, (_REVISION,)).fetchone()[0])


def _kept(row: dict[str, Any]) -> Kept:
    return Kept(**{**row, "value": json.loads(row["value"])})
