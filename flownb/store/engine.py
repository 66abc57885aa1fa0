"""What the store needs of a database: SQLite in the data folder, or Postgres."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any, Protocol


class DatabaseError(Exception):
    """What Postgres refused."""


class ConnectionLost(DatabaseError):
    """The connection is gone, and with it what was not committed. Of a commit it is not known what became of it."""


ERRORS = (sqlite3.Error, DatabaseError)
"""What a database raises."""


class Cursor(Protocol):
    """The rows of a statement."""

    @property
    def description(self) -> Any:
        """A sequence for each column, which begins with its name."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""

    def fetchone(self) -> Any:
        """The next row, None where there is none."""

    def fetchall(self) -> list[Any]:
        """All further rows."""

    def __iter__(self) -> Iterator[Any]:
        """The further rows, one after the other."""


class Database(Protocol):
    """A connection, as statements see it. Values are marked with ``?`` or ``:name``."""

    def execute(self, sql: str, parameters: Any = None) -> Cursor:
        """Run one statement; raises one of ``ERRORS``."""

    def size(self) -> int:
        """What the tables take, in bytes."""

    def others(self) -> int:
        """Another number than before where somebody else may have committed since."""


class Connection(Database, Protocol):
    """A connection, as the writer and the readers have it."""

    def begin_writing(self) -> None:
        """Begin a transaction once no other one writes, in whatever process."""

    def begin_reading(self) -> None:
        """Begin a transaction that sees one moment."""

    def commit(self) -> None:
        """What the transaction has changed is on disk from now on."""

    def rollback(self) -> None:
        """End the transaction without a trace, also where the connection is lost."""

    def close(self) -> None:
        """Give the connection up."""

    def at_work(self) -> bool:
        """Whether a server has this database open, as far as the database knows."""

    def stream(self, sql: str) -> Iterator[Any]:
        """The rows of a statement, never all of them in memory."""

    def counted(self, table: str) -> int:
        """The last number that a table has given to a row."""

    def count_from(self, table: str, last: int) -> None:
        """Have a table number its next row after this."""


class Listening(Database, Protocol):
    """A connection on which each statement stands for itself, and which hears of what others commit."""

    def wait(self, seconds: float) -> bool:
        """Whether anybody has committed within so many seconds; returns as soon as that is so."""

    def close(self) -> None:
        """Give the connection up."""


class Engine(Protocol):
    """Where a store is kept; ``str`` says so to people, without a password."""

    def writing(self) -> Connection:
        """A connection for writing, with the schema up to date."""

    def reading(self) -> Connection:
        """A connection that can change nothing; it may be closed by another thread."""

    def listening(self) -> Listening:
        """A connection that hears of commits."""

    @property
    def lease(self) -> float | None:
        """Seconds without a sign of life after which a server counts as gone; None where only one has the store."""
