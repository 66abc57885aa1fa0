"""The database in the data folder: one file, of which SQLite lets one connection write at a time."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlite_utils

from flownb.store.engine import Listening
from flownb.store.schema import migrations
from flownb.store.upgrading import demand_known

BUSY_SECONDS = 30.0
"""How long the database may be another connection's before that is an error."""

CACHE_KIB = 16_000
"""Memory for pages of the database at most; a full transaction changes so much of it that the usual 2 MB spill over."""

CHECKPOINT_PAGES = 4_000
"""Pages of the log, of 4 KiB, before they are copied into the database: those that change often are copied once."""


class SqliteConnection(sqlite_utils.Database):
    """A connection to the file."""

    def begin_writing(self) -> None:
        self.execute("BEGIN IMMEDIATE")  # waits for its turn, where a deferred one would fail once it writes

    def begin_reading(self) -> None:
        self.execute("BEGIN")

    def size(self) -> int:
        names = ("page_count", "freelist_count", "page_size")
        pages, free, each = (int(self.execute(f"PRAGMA {name}").fetchone()[0]) for name in names)
        return (pages - free) * each

    def others(self) -> int:
        return int(self.execute("PRAGMA data_version").fetchone()[0])

    def at_work(self) -> bool:
        """The file does not know: the lease of the data folder says so."""
        return False

    def stream(self, sql: str) -> Iterator[Any]:
        yield from self.execute(sql)

    def counted(self, table: str) -> int:
        largest = f"SELECT coalesce(max(seq), 0) FROM {table}"  # noqa: S608 - a word of ours
        given = "SELECT seq FROM sqlite_sequence WHERE name = ?"
        row = self.execute(given, (table,)).fetchone() or self.execute(largest).fetchone()
        return int(row[0])

    def count_from(self, table: str, last: int) -> None:
        """A table without numbers of its own goes on after the largest."""
        if "AUTOINCREMENT" in self.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]:
            self.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
            self.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (table, last))


@dataclass(frozen=True)
class Sqlite:
    """A database file; it is for its owner alone."""

    path: Path
    journal_mode: str = "WAL"

    def __str__(self) -> str:
        return str(self.path)

    def writing(self) -> SqliteConnection:
        """What is committed is on disk (``synchronous=FULL``)."""
        return open_database(self.path, self.journal_mode)

    def reading(self) -> SqliteConnection:
        uri = f"{self.path.absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, check_same_thread=False)
        return SqliteConnection(connection, execute_plugins=False)

    def listening(self) -> Listening:
        raise NotImplementedError("nobody else is at work in the data folder")

    @property
    def lease(self) -> None:
        return None


def open_database(path: Path, journal_mode: str) -> SqliteConnection:
    """A connection for writing, with the schema up to date."""
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
    try:
        _set_journal_mode(connection, "WAL" if journal_mode.upper() == "WAL" else "DELETE")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA cache_size = {-CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        db = SqliteConnection(connection, execute_plugins=False)
        demand_known(db)
        db.begin_writing()
        with connection:
            migrations.apply(db)
    except BaseException:
        connection.close()
        raise
    return db


def _set_journal_mode(connection: sqlite3.Connection, mode: str) -> None:
    """SQLite waits for whoever has the database locked everywhere but here."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute(f"PRAGMA journal_mode = {mode}")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
