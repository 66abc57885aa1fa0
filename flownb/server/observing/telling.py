"""Tells Jupyter's event system of executions, decisions and deployments, for whoever listens there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_events import EventLogger

from flownb.core.deployment import NoSuchWorkflow
from flownb.core.model import Execution
from flownb.core.times import iso
from flownb.server.deployments import Deployments
from flownb.store.store import Change

SCHEMAS = tuple(sorted((Path(__file__).parent / "schemas").glob("*.yaml")))
ID = "https://events.flownb.org/{}/v1"
EXECUTION, DECISION, DEPLOYMENT = map(ID.format, ("execution", "decision", "deployment"))

Emit = Callable[[str, dict[str, Any]], None]
"""Emits an event, by the id of its schema."""


def emitter(logger: EventLogger) -> Emit:
    """Emits events of ours through Jupyter's logger, which is told what they look like."""
    for schema in SCHEMAS:
        logger.register_event_schema(schema)

    def emit(schema: str, data: dict[str, Any]) -> None:
        logger.emit(schema_id=schema, data=data)

    return emit


class Telling:
    """Hears of every change."""

    def __init__(self, deployments: Deployments, emit: Emit) -> None:
        self._deployments = deployments
        self._emit = emit

    def hear(self, change: Change) -> None:
        """A listener of the store."""
        before, after = change.before, change.after
        if before is None or before.status is not after.status:
            self._emit(EXECUTION, _execution(change))
        decision = after.pause.decision if after.pause is not None else None
        if decision is not None and (before is None or before.pause is None or before.pause.decision != decision):
            assert after.pause is not None
            data = {
                "execution": after.id,
                "workflow": after.workflow,
                "step": after.pause.of.step,
                "run": after.pause.of.run,
                "action": str(decision.action),
                "by": decision.signature.by,
                "at": iso(decision.at),
            }
            self._emit(DECISION, data)

    def deployed(self, name: str) -> None:
        """A listener of the deployments."""
        try:
            found = self._deployments.get(name).deployment
        except NoSuchWorkflow:
            self._emit(DEPLOYMENT, {"workflow": name, "active": False, "version": None, "number": None, "by": None})
            return
        data = {"workflow": name, "active": True, "version": found.version, "number": found.number, "by": found.by}
        self._emit(DEPLOYMENT, data)


def _execution(change: Change) -> dict[str, Any]:
    before, after = change.before, change.after
    return {
        "execution": after.id,
        "workflow": after.workflow,
        "version": after.version,
        "status": str(after.status),
        "before": str(before.status) if before is not None else None,
        "step": _step(after),
        "reason": after.reason,
        "error": after.error.ename if after.error is not None else None,
        "at": iso(change.at),
    }


def _step(execution: Execution) -> str | None:
    """The step that runs, waits or comes next; of an execution that failed, the one that did."""
    return execution.step.name if execution.step is not None else None
