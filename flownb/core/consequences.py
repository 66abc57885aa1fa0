"""What a change of one execution leads to elsewhere: executions that start because of it."""

from __future__ import annotations

from flownb.core.deployment import Start
from flownb.core.model import Error, Execution, Json, Status, Step
from flownb.core.settings import Settings
from flownb.core.times import iso
from flownb.core.told import pd_context

ERROR = "error"
"""The type of a trigger: another workflow's execution has failed."""


def starts(before: Execution | None, after: Execution, settings: Settings) -> list[Start]:
    """The workflows that start with this change, by the settings of the version that the execution is pinned to."""
    failed = after.status is Status.FAILED and (before is None or not before.status.final)
    # An execution that handles an error starts no other: a mistake in it would go around in a circle.
    if not failed or settings.on_error is None or after.trigger.get("type") == ERROR:
        return []
    return [Start(settings.on_error, {"type": ERROR, "event": error_event(after)}, key=f"error {after.id}")]


def error_event(failed: Execution) -> dict[str, Json]:
    """What the other workflow is told, in the shape of the original's ``$errors`` stream, and as ``body`` too."""
    step = failed.step
    said = {
        "original_event": failed.trigger["event"],
        "original_context": pd_context(failed, step, None) if step is not None else None,
        "error": _error(failed, failed.error or Error("Failed", failed.reason or ""), step),
    }
    return {**said, "body": said}


def _error(failed: Execution, error: Error, step: Step | None) -> dict[str, Json]:
    return {
        "code": error.ename,
        "message": error.evalue,
        "step": step.name if step is not None else None,
        "cellId": step.cell_id if step is not None else None,
        "ts": iso(failed.finished_at),
        "stack": "\n".join(error.traceback),
        "execution": failed.id,
    }
