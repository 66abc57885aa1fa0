"""An execution as the API shows it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flownb.core.children import child_id
from flownb.core.model import (
    Alternative,
    Approvals,
    Decision,
    Error,
    Execution,
    Json,
    Pause,
    PauseKind,
    Response,
    Status,
    Step,
)
from flownb.core.times import iso
from flownb.core.words import otherwise
from flownb.server.context import Links
from flownb.server.hidden import masked_response
from flownb.store.checkpoints import StepCheckpoint
from flownb.store.snapshots import Usage


def execution_view(execution: Execution, links: Links | None, notebook: str | None = None) -> dict[str, Json]:
    """The execution in the contract's words; without ``links`` for those who may only read.

    ``notebook`` is the path of the executed notebook, where there is one that Jupyter sees.
    """
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
        "moved_to": execution.moved_to,
        "response": _response(execution.response),
        "executed_notebook": notebook,
        "warnings": list(execution.warnings),
        "trigger": execution.trigger,
        "steps": [_step(step) for step in execution.steps],
        "waiting": waiting_view(execution.id, execution.pause, links) if execution.status is Status.SUSPENDED else None,
    }


def snapshots_view(kept: list[StepCheckpoint], usage: Usage) -> dict[str, Json]:
    """What is on disk of an execution: a checkpoint a step, and what became of each variable in the latest."""
    return {
        "checkpoints": [_checkpoint(one) for one in kept],
        "variables": list(kept[-1].variables) if kept else [],
        "disk": {"bytes": usage.size, "shared": usage.shared},
    }


def pauses_view(pauses: list[Pause]) -> Json:
    """Every pause that there was, with who decided what, oldest first."""
    return [
        {
            "step": pause.of.step,
            "run": pause.of.run,
            "attempt": pause.of.attempt,
            "kind": pause.kind,
            "reason": pause.reason,
            "since": iso(pause.since),
            "wakes_at": iso(pause.wakes_at),
            "ended_at": iso(pause.ended_at),
            "ended_by": pause.ended_by,
            "decision": decision_view(pause.decision),
            "approvals": approvals_view(pause.approvals),
        }
        for pause in pauses
    ]


def decision_view(decision: Decision | None) -> Json:
    """What was decided, when and by whom."""
    if decision is None:
        return None
    of = {"action": decision.action, "at": iso(decision.at), "which": decision.which}
    return {**of, **asdict(decision.signature)}


def approvals_view(approvals: Approvals | None) -> Json:
    """Whose approvals a pause waits for, and which are in."""
    if approvals is None:
        return None
    return {
        "needed": approvals.needed,
        "missing": approvals.missing,
        "approvers": list(approvals.asked),
        "silent": list(approvals.silent),
        "not_self": approvals.not_self,
        "escalate_to": list(approvals.escalate_to),
        "escalated": approvals.escalated,
        "given": [decision_view(one) for one in approvals.given],
    }


def _alternative(one: Alternative, execution_id: str, pause: Pause, links: Links | None) -> Json:
    urls = links.branch(execution_id, pause.of, one.name) if links is not None and one.for_people else {}
    return {
        "name": one.name,
        "kind": one.kind,
        "reason": one.reason,
        "form": one.form,
        "at": iso(pause.since + one.after_ms) if one.after_ms is not None else None,
        "workflow": one.workflow,
        "execution": child_id(execution_id, pause.of, one.name) if one.workflow is not None else None,
        "event": one.event,
        "resume_url": urls.get("resume_url"),
        "review_url": urls.get("review_url"),
    }


def journal_view(entry: dict[str, Any]) -> Json:
    """An entry of the journal; of what its event holds, only who decided what."""
    event = entry["detail"].get("event") or {}
    return {
        "seq": entry["seq"],
        "at": iso(entry["at"]),
        "event": entry["event"],
        "status": entry["status"],
        "step": entry["step"],
        "run": entry["run"],
        "attempt": entry["attempt"],
        "action": event.get("action"),
        "answer": entry["detail"].get("answer"),
        "signature": event.get("signature"),
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


def _response(response: Response | None) -> Json:
    """What a step answered; its links are shown to nobody but its caller."""
    if response is None:
        return None
    shown = masked_response(response)
    return {"status": shown.status, "headers": shown.headers, "body": shown.body, "due": shown.due}


def _error(error: Error | None) -> Json:
    if error is None:
        return None
    return {"ename": error.ename, "evalue": error.evalue, "traceback": list(error.traceback)}


def waiting_view(execution_id: str, pause: Pause | None, links: Links | None) -> Json:
    """What an execution waits in; without ``links`` for those who may only read."""
    assert pause is not None
    linked = links is not None and pause.kind is not PauseKind.RETRY
    urls: dict[str, str | None] = dict.fromkeys(("resume_url", "cancel_url", "review_url"))
    if links is not None and linked:
        urls.update(links.of(execution_id, pause.of))
    return {
        "kind": pause.kind,
        "step": pause.of.step,
        "since": iso(pause.since),
        "wakes_at": iso(pause.wakes_at),
        "on_timeout": pause.on_timeout,
        "reason": pause.reason,
        "runs": pause.of.run,
        "attempt": pause.of.attempt,
        "pause": pause.of.id if pause.linked_to(pause.of) else None,
        "otherwise": otherwise(pause.kind, pause.on_timeout, iso(pause.wakes_at)),
        "remind_every": pause.remind_every,
        "max_retries": pause.max_retries,
        "context": pause.context,
        "form": pause.asks,
        "alternatives": [_alternative(one, execution_id, pause, links) for one in pause.alternatives],
        "approvals": approvals_view(pause.approvals),
        **urls,
    }
