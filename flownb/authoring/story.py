"""A simulated execution in words."""

from __future__ import annotations

from flownb.core.model import Execution, Pause, PauseKind, Status
from flownb.core.times import iso
from flownb.core.words import in_words, otherwise, run_counter

BEGIN_ANEW = "`%flownb simulate reset` begins anew, running an earlier cell goes back to it"


def standing(execution: Execution) -> str | None:
    """Why no later cell may run now; None where the next one may."""
    step = execution.step
    if step is None:
        return None
    if execution.status is Status.SUSPENDED:
        return f"Workflow execution paused (simulated) in step {step.name!r}: choose below its cell, or `%flownb tick`"
    if execution.status is Status.CANCELLED:
        return f"Workflow execution canceled (simulated) in step {step.name!r}, {execution.reason}: {BEGIN_ANEW}"
    if execution.status is Status.FAILED:
        return f"Workflow execution failed (simulated) in step {step.name!r}, {execution.reason}: {BEGIN_ANEW}"
    if execution.status is Status.SUCCEEDED:
        why = f", {execution.reason}" if execution.reason else ""
        return f"Workflow execution ended (simulated) by exit in step {step.name!r}{why}: {BEGIN_ANEW}"
    if step.runs:
        return f"Workflow execution waits (simulated) for step {step.name!r} to run again: run its cell"
    return None


def came(pause: Pause, execution: Execution) -> str:
    """What the end of ``pause`` has led to, and what to do now."""
    step = execution.step
    if execution.status is Status.CANCELLED:
        return f"the workflow is cancelled; {BEGIN_ANEW}"
    if execution.status is Status.FAILED:
        return f"the workflow fails ({execution.reason}); {BEGIN_ANEW}"
    if pause.kind is PauseKind.RERUN and step is not None:
        return f"runs again, run {step.runs}; run its cell"
    if pause.kind is PauseKind.RETRY and step is not None:
        return f"is tried again, attempt {step.attempts}; run its cell"
    unanswered = pause.kind is PauseKind.SUSPEND and execution.resume is None
    how = "goes on without an answer" if unanswered else "goes on"
    return f"{how}; run the next cell" if step is not None else f"{how}, and that was the last step"


def waits(pause: Pause) -> str:
    """What a pause waits for, in a few words."""
    counter = run_counter({"max_retries": pause.max_retries, "runs": pause.of.run})
    said = [str(pause.kind), counter, pause.reason or "", otherwise(pause.kind, pause.on_timeout, iso(pause.wakes_at))]
    return " · ".join(filter(None, said))


def status(execution: Execution, now: int) -> str:
    """How far a simulation is, line by line."""
    lines = [f"simulation {execution.id}: {execution.status}, its clock says {in_words(iso(now) or '')}"]
    for step in execution.steps:
        runs = f", run {step.runs}" if step.runs > 1 else ""
        pause = execution.pause
        waiting = step is execution.step and pause is not None and pause.live
        what = waits(pause) if waiting and pause is not None else ""
        lines.append(f"  {step.name}: {step.status}{runs}{f' ({what})' if what else ''}")
    return "\n".join(lines)
