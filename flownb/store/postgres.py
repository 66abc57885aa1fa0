"""A Postgres database: of all servers on it one writes at a time, as if it were one file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from flownb.store.dialect import adapt, translated
from flownb.store.engine import ConnectionLost, Cursor, DatabaseError
from flownb.store.postgres_tables import TABLES

CONNECT_SECONDS = 10
"""How long a server may take to answer to a connection."""

WAIT_SECONDS = 30
"""How long a writer waits for its turn before that is an error."""

LEASE_SECONDS = 10.0
"""Without a sign of life for so long a server is gone; without a statement for so long a transaction is ended, for
its server is frozen and others wait for their turn."""

ALIVE: dict[str, Any] = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""After some ten seconds without a word from the database's machine a connection is lost, also where none ends it."""

CHANNEL = "flownb"

NAME = "flownb"
"""What connections of ours are called in the database's list of them."""

PIECE = 1_000
"""Rows that are in memory at once where many are read."""

MIGRATIONS: dict[str, str] = {"first": TABLES.replace(" TEXT", ' TEXT COLLATE "C"')}
"""Statements by their names, in their order; a change is a new one at the end. Texts are ordered by their bytes."""

_KEY = "SELECT hashtextextended('flownb ' || current_schema(), 0)"
_SIZE = """SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class
           WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"""
_SEQUENCE = "SELECT pg_get_serial_sequence(?, 'seq')"
_OTHERS = """SELECT 1 FROM pg_stat_activity WHERE application_name = ? AND pid <> pg_backend_pid()
             AND datname = current_database() LIMIT 1"""
_KNOWN = "CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL)"


class PostgresConnection:
    """A connection that is made anew at the beginning of a transaction where it was lost."""

    def __init__(self, url: str, word: str, lease: float, *, readonly: bool) -> None:
        self._url = url
        self._word = word
        self._lease = lease
        self._readonly = readonly
        self._begun = 0
        self._connect()

    def _connect(self) -> None:
        self._connection = connect(self._url)
        with _errors(self):
            self._connection.execute(
                f"SET lock_timeout = '{WAIT_SECONDS}s'; "
                f"SET idle_in_transaction_session_timeout = {round(self._lease * 1000)}; SET synchronous_commit = on; "
                f"SET default_transaction_read_only = {'on' if self._readonly else 'off'}"
            )
            self.key = int(self._connection.execute(_KEY).fetchone()[0])  # type: ignore[index]

    @property
    def lost(self) -> bool:
        return self._connection.closed

    def execute(self, sql: str, parameters: Any = None) -> Cursor:
        with _errors(self):
            return self._connection.execute(translated(sql), parameters if parameters is not None else ())

    def begin_writing(self) -> None:
        self._begun += 1
        self._begin(f"BEGIN; SELECT pg_advisory_xact_lock({self.key})")

    def begin_reading(self) -> None:
        self._begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def _begin(self, words: str) -> None:
        """Nothing was done yet: where the connection turns out to be lost, another one serves as well."""
        with suppress(ConnectionLost):
            if not self.lost:
                self._run(words)
                return
        self._connect()
        self._run(words)

    def commit(self) -> None:
        """Others hear of it, unless nothing was changed."""
        told = f"SELECT pg_notify('{CHANNEL}', '{self.key} {self._word}')"
        self._run(f"{told} WHERE pg_current_xact_id_if_assigned() IS NOT NULL; COMMIT")

    def rollback(self) -> None:
        with suppress(DatabaseError):
            self._run("ROLLBACK")

    def _run(self, words: str) -> None:
        with _errors(self):
            self._connection.execute(words, prepare=False)

    def size(self) -> int:
        return int(self.execute(_SIZE).fetchone()[0])

    def others(self) -> int:
        """Nobody counts the commits of others: there may always have been one between two transactions."""
        return self._begun

    def wait(self, seconds: float) -> bool:
        with _errors(self):
            told = [one.payload.split() for one in self._connection.notifies(timeout=seconds, stop_after=1)]
        return any(key == str(self.key) and word != self._word for key, word in told)

    def close(self) -> None:
        self._connection.close()

    def at_work(self) -> bool:
        return self.execute(_OTHERS, (NAME,)).fetchone() is not None

    def stream(self, sql: str) -> Iterator[Any]:
        self.execute(f"DECLARE streamed NO SCROLL CURSOR FOR {sql}")
        while rows := self.execute(f"FETCH {PIECE} FROM streamed").fetchall():
            yield from rows
        self.execute("CLOSE streamed")

    def counted(self, table: str) -> int:
        (sequence,) = self.execute(_SEQUENCE, (table,)).fetchone()
        last, called = self.execute(f"SELECT last_value, is_called FROM {sequence}").fetchone()  # noqa: S608
        return int(last) if called else 0

    def count_from(self, table: str, last: int) -> None:
        self.execute("SELECT setval(pg_get_serial_sequence(?, 'seq'), ?, ? = 1)", (table, max(last, 1), last > 0))


class _errors:
    """What psycopg raises, as the store knows it."""

    __slots__ = ("_db",)

    def __init__(self, db: PostgresConnection) -> None:
        self._db = db

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, psycopg.Error):
            said = str(error).strip() or type(error).__name__
            raise (ConnectionLost if self._db.lost else DatabaseError)(said) from None


@dataclass(frozen=True)
class Postgres:
    """A database by its URL, in the schema that is its user's first."""

    url: str = field(repr=False)
    lease: float = LEASE_SECONDS
    word: str = field(default_factory=lambda: token_hex(8))
    """What this server signs its notifications with."""

    def __str__(self) -> str:
        try:
            known = conninfo_to_dict(self.url)
        except psycopg.Error:
            return "of Postgres"
        return f"{known.get('dbname', '')!r} on {known.get('host', 'this machine')}"

    def writing(self) -> PostgresConnection:
        db = PostgresConnection(self.url, self.word, self.lease, readonly=False)
        try:
            db.begin_writing()
            _migrate(db)
            db.commit()
        except BaseException:
            db.close()
            raise
        return db

    def reading(self) -> PostgresConnection:
        return PostgresConnection(self.url, self.word, self.lease, readonly=True)

    def listening(self) -> PostgresConnection:
        db = PostgresConnection(self.url, self.word, self.lease, readonly=False)
        db.execute(f"LISTEN {CHANNEL}")
        return db


def connect(url: str) -> psycopg.Connection[Any]:
    """A new connection, on which each statement stands for itself; raises ``DatabaseError``."""
    try:
        connection = psycopg.connect(
            url,
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            client_encoding="UTF8",
            application_name=NAME,
            prepare_threshold=2,
            **ALIVE,
        )
    except psycopg.ProgrammingError:  # whose words hold parts of the URL
        raise DatabaseError("its URL cannot be read") from None
    except psycopg.Error as error:
        raise DatabaseError(str(error).strip()) from None
    connection.prepared_max = 500
    adapt(connection.adapters)
    return connection


def _migrate(db: PostgresConnection) -> None:
    db.execute(_KNOWN)
    known = {row[0] for row in db.execute("SELECT name FROM migrations")}
    if unknown := known - MIGRATIONS.keys():
        raise DatabaseError(f"a later version of flownb has written it (its schema has {min(unknown)!r})")
    for name, statements in MIGRATIONS.items():
        if name not in known:
            for statement in statements.split(";"):
                db.execute(statement)
            db.execute("INSERT INTO migrations VALUES (?, ?)", (name, datetime.now(UTC).isoformat()))
