"""Statements of ours, run as they are: constant texts, so that SQLite prepares each of them once.

``Database.query`` sets a savepoint round every statement and ``Table.upsert`` asks for the schema each time; on the
path of every step and request that costs more than the statements themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlite_utils import Database

Row = dict[str, Any]


def query(db: Database, sql: str, *values: Any) -> list[Row]:
    """All rows of a statement, by the names of their columns."""
    cursor = db.execute(sql, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def first_row(db: Database, sql: str, *values: Any) -> Row | None:
    """The first row, None where there is none."""
    found = query(db, sql, *values)
    return found[0] if found else None


def column(db: Database, sql: str, *values: Any) -> list[Any]:
    """The first column of all rows."""
    return [row[0] for row in db.execute(sql, values)]


def insert(db: Database, table: str, row: Row) -> int:
    """Add a row; returns its number."""
    return int(db.execute(_insert(table, tuple(row)), tuple(row.values())).lastrowid or 0)


def put(db: Database, table: str, row: Row, key: tuple[str, ...]) -> None:
    """Add a row, or change the one that has the same ``key``."""
    db.execute(_put(table, tuple(row), key), tuple(row.values()))


def update(db: Database, table: str, changes: Row, where: str, *key: Any) -> None:
    """Change the rows of which ``where`` holds, unless there is nothing to change."""
    if changes:
        db.execute(_update(table, tuple(changes), where), (*changes.values(), *key))


# Tables, columns and conditions are words of ours; values are bound.


@cache
def _insert(table: str, names: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({_marks(names)})"  # noqa: S608


@cache
def _put(table: str, names: tuple[str, ...], key: tuple[str, ...]) -> str:
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in key)
    return f"{_insert(table, names)} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"


@cache
def _update(table: str, names: tuple[str, ...], where: str) -> str:
    return f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in names)} WHERE {where}"  # noqa: S608


def _marks(names: Iterable[str]) -> str:
    return ", ".join("?" for _ in names)
