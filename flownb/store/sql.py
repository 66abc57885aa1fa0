"""Statements of ours, run as they are: constant texts, so that the database prepares each of them once.

``Database.query`` sets a savepoint round every statement and ``Table.upsert`` asks for the schema each time; on the
path of every step and request that costs more than the statements themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from flownb.store.engine import Database

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


def columns(db: Database, table: str) -> set[str]:
    """The names of the columns of a table."""
    return {column[0] for column in db.execute(f"SELECT * FROM {table} LIMIT 0").description}  # noqa: S608


def insert(db: Database, table: str, row: Row) -> None:
    """Add a row."""
    db.execute(_insert(table, tuple(row)), tuple(row.values()))


def insert_numbered(db: Database, table: str, row: Row, number: str = "seq") -> int:
    """Add a row to a table that numbers its rows; returns its number."""
    return int(db.execute(_insert_numbered(table, tuple(row), number), tuple(row.values())).fetchone()[0])


def insert_new(db: Database, table: str, row: Row) -> None:
    """Add a row, unless it is there."""
    db.execute(_insert_new(table, tuple(row)), tuple(row.values()))


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
def _insert_numbered(table: str, names: tuple[str, ...], number: str) -> str:
    return f"{_insert(table, names)} RETURNING {number}"


@cache
def _insert_new(table: str, names: tuple[str, ...]) -> str:
    return f"{_insert(table, names)} ON CONFLICT DO NOTHING"


@cache
def _put(table: str, names: tuple[str, ...], key: tuple[str, ...]) -> str:
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in key)
    return f"{_insert(table, names)} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"


@cache
def _update(table: str, names: tuple[str, ...], where: str) -> str:
    return f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in names)} WHERE {where}"  # noqa: S608


def _marks(names: Iterable[str]) -> str:
    return ", ".join("?" for _ in names)
