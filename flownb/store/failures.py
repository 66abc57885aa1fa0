"""Failures on disk: counted by what is equal in them, and told of once a day."""

from __future__ import annotations

from dataclasses import dataclass

from flownb.core.failures import Failure, is_told
from flownb.store import sql
from flownb.store.engine import Database


@dataclass(frozen=True)
class Group:
    """Equal errors: how many, when the first and the last of them were, and the latest execution."""

    workflow: str
    step: str
    ename: str
    evalue: str
    count: int
    first_at: int
    last_at: int
    execution: str


def put(db: Database, failure: Failure, told: bool) -> None:
    """Note a failure, and whether people are told of it."""
    sql.put(db, "failures", {**vars(failure), "told": told}, ("execution",))


def held_back(db: Database, failure: Failure) -> int | None:
    """How many of the same error were not told of since the last that was; None where this one is not, either."""
    same = (failure.workflow, failure.step, failure.ename)
    last = """SELECT max(at) FROM failures INDEXED BY failures_told
              WHERE workflow = ? AND step = ? AND ename = ? AND told = 1"""
    told_at: int | None = db.execute(last, same).fetchone()[0]
    if not is_told(failure.at, told_at):
        return None
    since = """SELECT count(*) FROM failures INDEXED BY failures_same
               WHERE workflow = ? AND step = ? AND ename = ? AND at > ?"""
    return int(db.execute(since, (*same, told_at)).fetchone()[0]) if told_at is not None else 0


def groups(db: Database, since: int, limit: int, workflow: str | None = None) -> list[Group]:
    """Groups of errors since a time, the one that came last first."""
    of_one = "workflow = ? AND" if workflow is not None else ""
    index = "failures_workflow" if workflow is not None else "failures_at"
    grouped = f"""SELECT g.*, (SELECT execution FROM failures f INDEXED BY failures_same
                               WHERE f.workflow = g.workflow AND f.step = g.step AND f.ename = g.ename
                               AND f.at = g.last_at AND f.evalue = g.evalue LIMIT 1) AS execution
                  FROM (SELECT workflow, step, ename, evalue, count(*) AS count, min(at) AS first_at, max(at) AS last_at
                        FROM failures INDEXED BY {index} WHERE {of_one} at >= ?
                        GROUP BY workflow, step, ename, evalue ORDER BY max(at) DESC LIMIT ?) g"""  # noqa: S608 - constants
    values = (*([workflow] if workflow is not None else []), since, limit)
    return [Group(**row) for row in sql.query(db, grouped, *values)]
