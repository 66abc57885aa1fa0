"""The bill: what each segment and step of every execution has cost, kept when the execution itself is deleted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flownb.core.model import Execution
from flownb.core.times import day
from flownb.core.usage import spent
from flownb.store import sql
from flownb.store.engine import Database

_SEGMENT = """INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (execution, segment) DO UPDATE SET
              compute_ms = usage.compute_ms + excluded.compute_ms,
              suspended_ms = usage.suspended_ms + excluded.suspended_ms, credits = usage.credits + excluded.credits"""
_STEP = """INSERT INTO usage_steps (execution, segment, step, compute_ms) VALUES (?, ?, ?, ?)
           ON CONFLICT (execution, segment, step) DO UPDATE SET
           compute_ms = usage_steps.compute_ms + excluded.compute_ms"""


def add(db: Database, before: Execution, after: Execution, at: int) -> None:
    """Put down what a change has cost; a segment belongs to the day on which it began."""
    found = spent(before, after)
    if found is None:
        return
    of = (after.workflow, after.version, day(at), at)
    db.execute(_SEGMENT, (after.id, found.segment, *of, found.compute_ms, found.suspended_ms, found.credits))
    for step, compute_ms in found.steps:
        db.execute(_STEP, (after.id, found.segment, step, compute_ms))


class By(StrEnum):
    """What usage is added up by."""

    DAY = "day"
    WORKFLOW = "workflow"
    EXECUTION = "execution"
    STEP = "step"
    SEGMENT = "segment"


@dataclass(frozen=True)
class Period:
    """The days, as ``2026-11-23`` and both included, and the workflow that usage is asked for; None for all."""

    since: str = ""
    until: str = "9999"
    workflow: str | None = None

    def source(self, joined: str = "") -> str:
        """The rows of the table that are meant, as ``u``, and what is joined to them."""
        index, which = ("day", "") if self.workflow is None else ("workflow", "u.workflow = :workflow AND ")
        return f"usage u INDEXED BY usage_{index} {joined} WHERE {which}u.day BETWEEN :since AND :until AND u.here = 1"


_TIMES = "sum(u.compute_ms) AS compute_ms, sum(u.suspended_ms) AS suspended_ms, sum(u.credits) AS credits"
_COUNTS = f"count(DISTINCT u.execution) AS executions, count(*) AS segments, {_TIMES}"
_OF = "u.execution, u.workflow, u.version"
_FIRST = """max(u.workflow) AS workflow,
    (SELECT v.version FROM usage v WHERE v.execution = u.execution ORDER BY v.segment LIMIT 1) AS version"""
_COLUMNS = {
    By.DAY: f"u.day, {_COUNTS}",
    By.WORKFLOW: f"u.workflow, {_COUNTS}",
    By.EXECUTION: f"u.execution, {_FIRST}, min(u.started_at) AS started_at, count(*) AS segments, {_TIMES}",
    By.STEP: "u.workflow, s.step, count(DISTINCT u.execution) AS executions, sum(s.compute_ms) AS compute_ms",
    By.SEGMENT: f"{_OF}, u.segment, u.day, u.started_at, u.compute_ms, u.suspended_ms, u.credits",
}
_GROUPS = {
    By.DAY: "GROUP BY u.day ORDER BY u.day DESC",
    By.WORKFLOW: "GROUP BY u.workflow ORDER BY credits DESC, u.workflow",
    By.EXECUTION: "GROUP BY u.execution ORDER BY min(u.started_at) DESC, u.execution",
    By.STEP: "GROUP BY u.workflow, s.step ORDER BY sum(s.compute_ms) DESC, u.workflow, s.step",
    By.SEGMENT: "ORDER BY u.started_at DESC, u.execution, u.segment DESC",
}


def table(db: Database, by: By, period: Period, limit: int) -> list[dict[str, Any]]:
    """What was used here: the latest days, executions and segments first, the dearest workflows and steps first."""
    steps = "JOIN usage_steps s ON s.execution = u.execution AND s.segment = u.segment" if by is By.STEP else ""
    found = f"SELECT {_COLUMNS[by]} FROM {period.source(steps)} {_GROUPS[by]} LIMIT :limit"  # noqa: S608 - constants
    return _rows(db, found, {**vars(period), "limit": limit})


def total(db: Database, period: Period) -> dict[str, Any]:
    """All that was used here in a period."""
    found = f"SELECT {_COUNTS} FROM {period.source()}"  # noqa: S608 - constants
    return {name: value or 0 for name, value in _rows(db, found, vars(period))[0].items()}


def _rows(db: Database, query: str, values: dict[str, Any]) -> list[sql.Row]:
    cursor = db.execute(query, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]
