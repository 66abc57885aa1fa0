"""What the database says of the events that were sent: which were lost, late, doubled or out of turn."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from benchmarks.hooks.sender import Answered

if TYPE_CHECKING:
    from benchmarks.hooks.load import Load

RAN = ("succeeded", "suspended")

_ALL = """SELECT e.id, workflow, e.status, e.trigger, e.started_at, coalesce(s.finished_at, 9e15), s.exports
          FROM executions e JOIN steps s ON s.execution = e.id ORDER BY e.seq"""


@dataclass(frozen=True)
class Stored:
    """An execution, in the order of arrival; times in ms since 1970."""

    id: str
    workflow: str
    status: str
    number: int
    started_at: int | None
    finished_at: int
    exported: int | None


def verdict(db: sqlite3.Connection, answers: Sequence[Answered], load: Load) -> dict[str, Any]:
    """Counts of all that was to be, and of all that was not."""
    stored = [_stored(row) for row in db.execute(_ALL)]
    numbers = {one.id: one.number for one in stored}
    accepted = {answer.said["execution"]: answer.number for answer in answers if answer.code == 200}
    ran = [one for one in stored if one.status in RAN]
    ordered = [list(_of(stored, number)) for number in range(load.workflows) if "concurrency" in load.settings(number)]
    begun = [[one for one in each if one.started_at is not None] for each in ordered]
    return {
        "accepted": len(accepted),
        "stored": len(stored),
        "lost": sum(numbers.get(id) != number for id, number in accepted.items()),
        "ran": len(ran),
        "wrong": sum(one.exported != one.number for one in ran),
        "ordered": sum(map(len, begun)),
        "out_of_order": sum(each[: len(some)] != some for each, some in zip(ordered, begun, strict=True)),
        "overlapping": sum((b.started_at or 0) < a.finished_at for each in begun for a, b in pairwise(each)),
        "over_limit": sum(_over(stored, number, load) for number in range(load.workflows)),
    }


def _stored(row: Sequence[Any]) -> Stored:
    id, workflow, status, trigger, started_at, finished_at, exports = row
    number = json.loads(trigger)["event"]["body"]["n"]
    return Stored(id, workflow, status, number, started_at, int(finished_at), json.loads(exports).get("n"))


def _of(stored: Iterable[Stored], number: int) -> Iterable[Stored]:
    return (one for one in stored if one.workflow == f"w{number}")


def _over(stored: Iterable[Stored], number: int, load: Load) -> int:
    """By how many the queue of a workflow is longer in the end than it may be."""
    most = load.settings(number).get("queue")
    waiting = sum(one.started_at is None for one in _of(stored, number))
    return max(0, waiting - most) if most is not None else 0
