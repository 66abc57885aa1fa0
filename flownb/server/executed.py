"""The executed notebook: the pinned notebook with what its steps have shown so far."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import nbformat.v4

from flownb.core.model import Attempt, Decision, Execution, Json, Pause, Step, StepStatus
from flownb.core.times import iso
from flownb.store.queries import StepOutputs


def executed_notebook(
    execution: Execution, content: Json, outputs: Iterable[StepOutputs], pauses: Iterable[Pause] = ()
) -> Json:
    """A valid notebook; each rerun of a step keeps its own outputs, in order and marked by run."""
    notebook = copy.deepcopy(content)
    shown: dict[str, list[StepOutputs]] = {}
    for found in outputs:
        shown.setdefault(found.attempt.step, []).append(found)
    decided: dict[str, list[Json]] = {}
    for pause in pauses:
        if pause.decision is not None:
            decided.setdefault(pause.of.step, []).append(_decision(pause.of, pause.decision))
    places = {step.cell_id: (place, step) for place, step in enumerate(execution.steps, 1)}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and cell["id"] in places:
            place, step = places[cell["id"]]
            cell["outputs"] = _with_error(step, _by_run(shown.get(step.name, []), place))
            cell["execution_count"] = place if step.runs else None
            cell["metadata"]["flownb"] = {**_step(step), "decisions": decided.get(step.name, [])}
    notebook["metadata"]["flownb_execution"] = _execution(execution)
    return notebook


def _by_run(shown: list[StepOutputs], place: int) -> list[Json]:
    """The outputs of all attempts; where there are several, each under a line that says which it is."""
    found: list[Json] = []
    for one in shown:
        mark = {"run": one.attempt.run, "attempt": one.attempt.attempt}
        if len(shown) > 1:
            said = f"run {one.attempt.run}" + (f", attempt {one.attempt.attempt}" if one.attempt.attempt > 1 else "")
            data = {"text/markdown": f"**{said}**", "text/plain": said}
            found.append(nbformat.v4.new_output("display_data", data, metadata={"flownb": mark}))
        found += [_marked(output, place, mark) for output in one.outputs]
    return found


def _marked(output: Any, place: int, mark: dict[str, Json]) -> Any:
    if "metadata" not in output:
        return output  # streams and errors have none
    count = {"execution_count": place} if output["output_type"] == "execute_result" else {}
    return {**output, **count, "metadata": {**output["metadata"], "flownb": mark}}


def _with_error(step: Step, outputs: list[Any]) -> list[Any]:
    """An error that is the runtime's own, such as a kernel that died, left no output in the cell: it is put there."""
    shown = any(output["output_type"] == "error" for output in outputs)
    if shown or step.error is None or step.status is not StepStatus.FAILED:
        return outputs
    return [*outputs, nbformat.v4.new_output("error", ename=step.error.ename, evalue=step.error.evalue, traceback=[])]


def _decision(of: Attempt, decision: Decision) -> dict[str, Json]:
    """For everybody who may see the notebook: from where somebody decided does not concern them."""
    said = decision.signature
    return {
        "run": of.run,
        "action": decision.action.value,
        "at": iso(decision.at),
        "by": said.name,
        "via": said.via,
        "comment": said.comment,
    }


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
