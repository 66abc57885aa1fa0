"""What a step is told of its execution: ``pd.context`` and ``pd.steps``."""

from __future__ import annotations

from flownb.core.model import Execution, Json, Signature, Step, StepStatus
from flownb.core.times import iso


def context_id(execution: Execution) -> str:
    """New in every segment, and the same again when a crash makes a segment repeat a step."""
    return f"{execution.id}.{execution.segments}"


def pd_context(execution: Execution, step: Step, deadline: int | None) -> dict[str, Json]:
    """All of ``pd.context``; ``deadline`` is when the attempt times out, in ms since 1970."""
    run: dict[str, Json] = {"runs": step.runs, "context": step.context}
    if step.callback is not None:
        run["callback_request"] = step.callback
    return {
        "id": context_id(execution),
        "trace_id": execution.id,
        "workflow_id": execution.workflow,
        "workflow_name": execution.workflow,
        "deployment_id": execution.version,
        "ts": iso(execution.created_at),
        "deadline": deadline,
        "test": False,
        "replay": execution.replay_of is not None,
        "resume": execution.resume,
        "resumed_by": _person(execution.resumed_by),
        "idempotency_key": f"{execution.id}:{step.name}:{step.runs}",
        "run": run,
    }


def _person(signature: Signature | None) -> Json:
    """Who decided, as far as it concerns the author: what they saw and where they sat does not."""
    if signature is None:
        return None
    return {"name": signature.name, "user": signature.user, "via": signature.via, "comment": signature.comment}


def recorded(execution: Execution) -> dict[str, Json]:
    """What ``pd.steps`` has of the steps that have ended; of those that may be retried, the one in hand too, how often
    it was tried and what went wrong the last time."""
    found: dict[str, Json] = {
        step.name: dict(step.exports) for step in execution.steps if step.status is StepStatus.SUCCEEDED
    }
    for step in execution.steps[: execution.at + 1]:
        if step.policy.retry is not None and step.attempts:
            error = step.last_error
            last = {"ename": error.ename, "evalue": error.evalue} if error else None
            found.setdefault(step.name, {})["$attempt"] = {"count": step.attempts, "last_error": last}
    return found


def is_light(value: Json, most: int) -> bool:
    """Whether ``value`` has no more than ``most`` parts and characters in all, of which no more are looked at."""
    waiting = [value]
    while waiting and most >= 0:
        each = waiting.pop()
        most -= 1 + (len(each) if isinstance(each, str | dict | list) else 0)
        if isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    return most >= 0
