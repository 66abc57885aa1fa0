"""Databases of every earlier version open: a migration that was released never changes."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from flownb.core.settings import Quota
from flownb.store import queue, rows, sql
from flownb.store.schema import first, migrations
from flownb.store.sqlite import SqliteConnection, open_database
from flownb.store.upgrading import TooNew
from tests.store.stored import new

PINNED = Path(__file__).with_name("schema_1.sql")


def test_the_first_migration_is_what_it_was(tmp_path: Path) -> None:
    db = SqliteConnection(sqlite3.connect(tmp_path / "db"))
    first(db)
    schema = db.schema
    db.close()
    assert schema + "\n" == PINNED.read_text()


@pytest.mark.parametrize("before", [one.name for one in migrations._migrations][1:])
def test_databases_of_every_earlier_schema_become_the_present_one(tmp_path: Path, before: str) -> None:
    db = SqliteConnection(sqlite3.connect(tmp_path / "earlier"))
    migrations.apply(db, stop_before=before)
    db.close()
    schemas = []
    for name in ("earlier", "new"):
        db = open_database(tmp_path / name, "WAL")
        schemas.append(db.schema)
        db.close()
    assert schemas[0] == schemas[1]


def test_what_waited_in_an_earlier_database_is_found(tmp_path: Path) -> None:
    db = SqliteConnection(sqlite3.connect(tmp_path / "db"))
    migrations.apply(db, stop_before="queue")
    db.execute("INSERT INTO versions VALUES ('v1', '{}', 0)")
    known = {column.name for column in db["executions"].columns}
    for name in "ab":
        row = rows.columns(new(name))
        sql.insert(db, "executions", {name: value for name, value in row.items() if name in known})
    db.conn.commit()
    db.close()
    db = open_database(tmp_path / "db", "WAL")
    chosen = queue.choose(db, 5, 0, queue.Turn(), {}, lambda *_: Quota())
    assert chosen.executions == ["a", "b"]
    db.close()


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    def opened() -> tuple[str, list[str]]:
        db = open_database(tmp_path / "db", "WAL")
        found = db.schema, [migration.name for migration in migrations.applied(db)]
        assert not migrations.pending(db)
        assert not db.conn.in_transaction
        db.close()
        return found

    assert opened() == opened()


def test_a_migration_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "db")
    connection.execute("CREATE TABLE journal (of_somebody_else TEXT)")
    connection.close()
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError, match="journal"):
            open_database(tmp_path / "db", "WAL")
    db = SqliteConnection(tmp_path / "db")
    assert db.table_names() == ["journal"]
    db.close()


def test_a_database_of_a_later_version_is_refused_and_not_touched(tmp_path: Path) -> None:
    db = open_database(tmp_path / "db", "WAL")
    with db.conn:
        db.execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('flownb', 'later', '')")
    before = list(db.iterdump())
    db.close()
    with pytest.raises(TooNew, match="a later version of flownb has written it"):
        open_database(tmp_path / "db", "WAL")
    db = SqliteConnection(tmp_path / "db")
    assert list(db.iterdump()) == before
    db.close()
