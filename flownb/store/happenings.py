"""Named events: kept for those who begin to wait shortly after."""

from __future__ import annotations

import json
from dataclasses import dataclass

from flownb.core import payload
from flownb.core.durations import LONGEST_LOOK_BACK
from flownb.core.events import Happened
from flownb.core.jsonvalue import dumps
from flownb.core.model import Alternative, Attempt, EndedBy, Execution, Json, Pause
from flownb.store import queries, sql
from flownb.store.engine import Database


@dataclass(frozen=True)
class Happening:
    """Something that has happened, under a name. The same ``key`` again is the same event, told of twice."""

    name: str
    data: Json = None
    key: str | None = None
    by: str | None = None


def keep(db: Database, told: Happening, now: int) -> int | None:
    """Put an event on disk; its number, None where it was there. What nobody can look back at any more goes."""
    if told.key is not None and sql.first_row(db, _KNOWN, told.name, told.key) is not None:
        return None
    db.execute("DELETE FROM happenings WHERE at < ?", (now - LONGEST_LOOK_BACK,))
    row = {"name": told.name, "key": told.key, "data": dumps(told.data), "at": now, "by": told.by}
    return sql.insert_numbered(db, "happenings", row)


def happened(of: Attempt, which: str, number: int, name: str, data: Json, at: int) -> Happened:
    """The event, as whoever waits for it is told."""
    request = {**payload.arrived(data, at), "event": {"name": name, "number": number}}
    return Happened(of, which, EndedBy.EVENT, request)


def recent(db: Database, execution: Execution, pause: Pause, one: Alternative) -> Happened | None:
    """The latest event that a wait which begins looks back at; none that this execution has gone on by before."""
    if not one.look_back or one.event is None:
        return None
    row = sql.first_row(db, _LATEST, one.event, pause.since - one.look_back)
    if row is None or row["seq"] <= _seen(db, execution, one.event):
        return None
    return happened(pause.of, one.name, row["seq"], one.event, json.loads(row["data"]), row["at"])


def _seen(db: Database, execution: Execution, name: str) -> int:
    """The number of the last event of this name by which the execution went on."""
    ended = [one.decision for one in queries.pauses(db, execution.id) if one.ended_by is EndedBy.EVENT and one.decision]
    told = [one.request["event"] for one in ended]
    return max((event["number"] for event in told if event["name"] == name), default=0)


_KNOWN = "SELECT seq FROM happenings WHERE name = ? AND key = ?"
_LATEST = "SELECT seq, data, at FROM happenings WHERE name = ? AND at >= ? ORDER BY at DESC, seq DESC LIMIT 1"
