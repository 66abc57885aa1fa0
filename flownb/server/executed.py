"""The executed notebook: the pinned notebook with what its steps have shown so far."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import nbformat.v4

from flownb.core.model import Execution, Json, Step, StepStatus
from flownb.core.times import iso
from flownb.store.queries import StepOutputs


def executed_notebook(execution: Execution, content: Json, outputs: Iterable[StepOutputs]) -> Json:
    """A valid notebook; each rerun of a step keeps its own outputs, in order."""
    notebook = copy.deepcopy(content)
    shown: dict[str, list[Json]] = {}
    for found in outputs:
        shown.setdefault(found.attempt.step, []).extend(found.outputs)
    places = {step.cell_id: (place, step) for place, step in enumerate(execution.steps, 1)}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and cell["id"] in places:
            place, step = places[cell["id"]]
            cell["outputs"] = _with_error(step, [_shown(output, place) for output in shown.get(step.name, [])])
            cell["execution_count"] = place if step.runs else None
            cell["metadata"]["flownb"] = _step(step)
    notebook["metadata"]["flownb_execution"] = _execution(execution)
    return notebook


def _shown(output: Any, place: int) -> Any:
    return {**output, "execution_count": place} if output["output_type"] == "execute_result" else output


def _with_error(step: Step, outputs: list[Any]) -> list[Any]:
    """An error that is the runtime's own, such as a kernel that died, left no output in the cell: it is put there."""
    shown = any(output["output_type"] == "error" for output in outputs)
    if shown or step.error is None or step.status is not StepStatus.FAILED:
        return outputs
    return [*outputs, nbformat.v4.new_output("error", ename=step.error.ename, evalue=step.error.evalue, traceback=[])]


def _step(step: Step) -> dict[str, Json]:
    return {
        "step": step.name,
        "status": step.status.value,
        "runs": step.runs,
        "attempts": step.attempts,
        "started_at": iso(step.started_at),
        "finished_at": iso(step.finished_at),
        "compute_ms": step.compute_ms,
    }


def _execution(execution: Execution) -> dict[str, Json]:
    return {
        "id": execution.id,
        "workflow": execution.workflow,
        "notebook": execution.notebook,
        "version": execution.version,
        "status": execution.status.value,
        "reason": execution.reason,
        "created_at": iso(execution.created_at),
        "finished_at": iso(execution.finished_at),
    }
