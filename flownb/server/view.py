"""An execution as the API shows it."""

from __future__ import annotations

from flownb.core.model import Error, Execution, Json, Pause, PauseKind, Status, Step
from flownb.core.times import iso
from flownb.server.context import Links
from flownb.store.checkpoints import StepCheckpoint
from flownb.store.snapshots import Usage


def execution_view(execution: Execution, links: Links | None) -> dict[str, Json]:
    """The execution in the contract's words; without ``links`` for those who may only read."""
    return {
        "id": execution.id,
        "workflow": execution.workflow,
        "notebook": execution.notebook,
        "version": execution.version,
        "status": execution.status,
        "created_at": iso(execution.created_at),
        "started_at": iso(execution.started_at),
        "finished_at": iso(execution.finished_at),
        "reason": execution.reason,
        "error": _error(execution.error),
        "segments": execution.segments,
        "compute_ms": execution.compute_ms,
        "suspended_ms": execution.suspended_ms,
        "credits": execution.credits,
        "replay_of": execution.replay_of,
        "warnings": list(execution.warnings),
        "trigger": execution.trigger,
        "steps": [_step(step) for step in execution.steps],
        "waiting": _waiting(execution, execution.pause, links) if execution.status is Status.SUSPENDED else None,
    }


def snapshots_view(kept: list[StepCheckpoint], usage: Usage) -> dict[str, Json]:
    """What is on disk of an execution: a checkpoint a step, and what became of each variable in the latest."""
    return {
        "checkpoints": [_checkpoint(one) for one in kept],
        "variables": list(kept[-1].variables) if kept else [],
        "disk": {"bytes": usage.size, "shared": usage.shared},
    }


def _checkpoint(kept: StepCheckpoint) -> dict[str, Json]:
    return {
        "step": kept.step or None,
        "run": kept.run,
        "at": iso(kept.at),
        "size": kept.checkpoint.size,
        "stored": kept.stored,
        "missing": None if kept.checkpoint.file else kept.checkpoint.why,
    }


def _step(step: Step) -> dict[str, Json]:
    return {
        "name": step.name,
        "cell_id": step.cell_id,
        "status": step.status,
        "runs": step.runs,
        "attempts": step.attempts,
        "started_at": iso(step.started_at),
        "finished_at": iso(step.finished_at),
        "compute_ms": step.compute_ms,
        "exports": step.exports,
        "error": _error(step.error),
        "last_error": _error(step.last_error),
    }


def _error(error: Error | None) -> Json:
    if error is None:
        return None
    return {"ename": error.ename, "evalue": error.evalue, "traceback": list(error.traceback)}


def _waiting(execution: Execution, pause: Pause | None, links: Links | None) -> Json:
    assert pause is not None
    linked = links is not None and pause.kind is not PauseKind.RETRY
    urls: dict[str, str | None] = dict.fromkeys(("resume_url", "cancel_url", "review_url"))
    if links is not None and linked:
        urls.update(links.of(execution.id, pause.of))
    return {
        "kind": pause.kind,
        "step": pause.of.step,
        "since": iso(pause.since),
        "wakes_at": iso(pause.wakes_at),
        "on_timeout": pause.on_timeout,
        "reason": pause.reason,
        "runs": pause.of.run,
        "max_retries": pause.max_retries,
        "context": pause.context,
        "form": pause.form,
        **urls,
    }
