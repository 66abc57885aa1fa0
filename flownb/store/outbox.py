"""The outbox: messages to people, put there in the transaction of what they tell of, and kept as their record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flownb.core.jsonvalue import dumps
from flownb.core.model import Json
from flownb.store import sql
from flownb.store.engine import Database

MAIL = "mail"
"""The channel of mails; any other is the digest of a service's URL, which is a secret and not stored."""


class Status(StrEnum):
    """Where a message stands: ``kept`` has nothing that could send it, ``failed`` is not tried any more."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    KEPT = "kept"


@dataclass(frozen=True)
class Message:
    """A message to people: ``key`` says what it is about, so that nothing is told twice.

    ``content`` has ``to``, ``subject``, ``text``, ``html`` and ``of``, the attempt whose links are hidden in it.
    ``next_at`` is when it is to be tried, in ms since 1970, None where it is not.
    """

    key: str
    execution: str
    channel: str
    content: Json
    created_at: int
    status: Status = Status.WAITING
    tries: int = 0
    next_at: int | None = None
    sent_at: int | None = None
    error: str | None = None


@dataclass(frozen=True)
class Listed:
    """A message and the workflow that it is about."""

    message: Message
    workflow: str


def put(db: Database, message: Message) -> None:
    """Add a message, unless it is there."""
    sql.insert_new(db, "outbox", {**vars(message), "content": dumps(message.content)})


def mark(db: Database, key: str, **changes: Any) -> None:
    """Note what became of a message; one that was sent stays so, whoever asks for another try in that moment."""
    sql.update(db, "outbox", changes, "key = ? AND status <> ?", key, Status.SENT)


def due(db: Database, now: int, most: int) -> list[Message]:
    """Messages to be sent now, the longest overdue first, so many of each channel that none waits for another."""
    waiting = """SELECT * FROM (
                 SELECT *, row_number() OVER (PARTITION BY channel ORDER BY next_at, seq) AS place
                 FROM outbox INDEXED BY outbox_waiting WHERE next_at IS NOT NULL AND next_at <= ?
             ) AS queued WHERE place <= ? ORDER BY next_at, seq"""
    return [_message(row) for row in sql.query(db, waiting, now, most)]


def next_due(db: Database) -> int | None:
    """When the next message is to be sent."""
    first = "SELECT min(next_at) FROM outbox INDEXED BY outbox_waiting WHERE next_at IS NOT NULL"
    due: int | None = db.execute(first).fetchone()[0]
    return due


def get(db: Database, key: str) -> Listed | None:
    """One message, None where there is no such."""
    row = sql.first_row(db, f"{_LISTED} WHERE o.key = ?", key)
    return _listed(row) if row else None


def page(db: Database, *, before: str | None, limit: int) -> tuple[list[Listed], str | None]:
    """Messages, newest first, and the key to ask for those that come after them."""
    older = "WHERE o.seq < (SELECT seq FROM outbox WHERE key = ?)" if before is not None else ""
    values = (*([before] if before is not None else []), limit + 1)
    found = [_listed(row) for row in sql.query(db, f"{_LISTED} {older} ORDER BY o.seq DESC LIMIT ?", *values)]
    return found[:limit], found[limit - 1].message.key if len(found) > limit else None


_LISTED = "SELECT o.*, e.workflow FROM outbox o JOIN executions e ON e.id = o.execution"
_FIELDS = tuple(Message.__dataclass_fields__)


def _listed(row: Mapping[str, Any]) -> Listed:
    return Listed(_message(row), row["workflow"])


def _message(row: Mapping[str, Any]) -> Message:
    found = {name: row[name] for name in _FIELDS}
    return Message(**{**found, "content": json.loads(row["content"]), "status": Status(row["status"])})
