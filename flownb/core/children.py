"""Workflows that a wait starts, and what their end means to who waits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from flownb.core import payload
from flownb.core.deployment import Start
from flownb.core.errors import FlowNBError
from flownb.core.events import Happened
from flownb.core.jsonvalue import dumps
from flownb.core.model import Attempt, Awaited, EndedBy, Error, Execution, Json, Pause, Status, StepStatus

DEEPEST = 32
"""So many executions may each have been started by the one before."""


class TooDeep(FlowNBError):
    """A workflow that starts itself, maybe by way of others."""

    reason = "too_deep"

    def __init__(self, name: str) -> None:
        super().__init__(f"workflow {name!r} was not started: {DEEPEST} executions wait for one another already")


def child_id(parent: str, of: Attempt, which: str) -> str:
    """The id of the execution that an alternative starts: the same one however often it is asked for."""
    return hashlib.sha256(dumps(["flownb child", parent, *of, which]).encode()).hexdigest()[:16]


def children(parent: Execution, pause: Pause) -> Iterator[tuple[str, Start]]:
    """The starts that a wait wishes for, by the names of its alternatives."""
    above = parent.trigger.get("parent") or {}
    for one in pause.alternatives:
        if one.kind is Awaited.WORKFLOW and one.workflow is not None:
            trigger = {
                "type": "workflow",
                "event": {"body": one.data},
                "by": parent.trigger.get("by"),
                "login": parent.trigger.get("login"),
                "parent": {"execution": parent.id, "step": pause.of.step, "depth": above.get("depth", 0) + 1},
            }
            yield one.name, Start(one.workflow, trigger, id=child_id(parent.id, pause.of, one.name))


def demand_depth(wish: Start) -> None:
    """Raises ``TooDeep``."""
    if wish.trigger["parent"]["depth"] > DEEPEST:
        raise TooDeep(wish.workflow)


def not_begun(of: Attempt, which: str, error: FlowNBError) -> Happened:
    """A child that cannot be started fails the step that asked for it."""
    return Happened(of, which, EndedBy.WORKFLOW, None, Error(type(error).__name__, str(error)), fatal=True)


def ended(child: Execution, of: Attempt, which: str, now: int) -> Happened:
    """The end of a child, as its parent is told of it."""
    return Happened(of, which, EndedBy.WORKFLOW, payload.arrived(_result(child), now), _failure(child))


def _result(child: Execution) -> dict[str, Json]:
    exports = {step.name: step.exports for step in child.steps if step.status is StepStatus.SUCCEEDED}
    last: Json = next(reversed(exports.values()), {})
    return {
        "status": child.status,
        "execution": child.id,
        "exports": exports,
        "return_value": last.get("$return_value"),
        "error": {"ename": child.error.ename, "evalue": child.error.evalue} if child.error else None,
    }


def _failure(child: Execution) -> Error | None:
    if child.status is Status.SUCCEEDED:
        return None
    why = f": {child.error.ename}: {child.error.evalue}" if child.error else ""
    return Error("ChildFailed", f"workflow {child.workflow!r} {child.status}{why} (execution {child.id})")
