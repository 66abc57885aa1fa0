"""Executions of deployed workflows, begun inside the caller's transaction."""

from __future__ import annotations

from flownb.core.deployment import NoSuchWorkflow, QueueFull, Start
from flownb.core.model import Execution, Json
from flownb.core.notebook import Workflow, fresh
from flownb.store import aggregate, deployments, sql
from flownb.store.engine import Database
from flownb.store.workflows import Workflows


def delivered(db: Database, wish: Start) -> Execution | None:
    """The execution that the same event started before."""
    if wish.key is None:
        return None
    known = "SELECT execution FROM deliveries WHERE workflow = ? AND key = ?"
    row = sql.first_row(db, known, wish.workflow, wish.key)
    return aggregate.load(db, row["execution"]) if row else None


def begin(db: Database, workflows: Workflows, wish: Start, now: int) -> Execution:
    """A new execution, on disk and queued.

    Raises ``NoSuchWorkflow``, or ``QueueFull`` where the wish is subject to the workflow's limit.
    """
    deployed = deployments.current(db, wish.workflow)
    if deployed is None or not deployed.active:
        raise NoSuchWorkflow(wish.workflow)
    workflow = workflows.find(db, deployed.version)
    assert workflow is not None
    if wish.limited:
        _demand_room(db, wish.workflow, workflow)
    execution = fresh(workflow, wish.id, wish.workflow, deployed.notebook, wish.trigger, now)
    aggregate.insert(db, execution)
    if wish.key is not None:
        delivery: dict[str, Json] = {"workflow": wish.workflow, "key": wish.key, "execution": wish.id, "at": now}
        sql.insert(db, "deliveries", delivery)
    return execution


def _demand_room(db: Database, name: str, workflow: Workflow) -> None:
    most = workflow.settings.quota.queued
    if most is None:
        return
    last = """SELECT 1 FROM executions INDEXED BY executions_queue
              WHERE status = 'queued' AND CAST(segments = 0 AS INTEGER) = 1 AND workflow = ? LIMIT 1 OFFSET ?"""
    if db.execute(last, (name, most - 1)).fetchone():
        raise QueueFull(name, most)
