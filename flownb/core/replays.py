"""A new execution that begins in the middle, with what another one recorded of the steps before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flownb.core.errors import FlowNBError, InvalidValue
from flownb.core.model import Execution, Json, PauseKind, Step, StepStatus
from flownb.core.notebook import Cell, Workflow

HAS_ENDED = (PauseKind.SUSPEND, PauseKind.DELAY, PauseKind.WAIT)
"""Kinds of pauses whose step has nothing left to do; after the others it runs again."""


class CannotReplay(FlowNBError):
    """The record does not allow it; ``reason`` is ``not_reached``, ``changed`` or ``checkpoint_missing``."""

    reason = "not_reached"


def place_of(workflow: Workflow, step: str) -> int:
    """Where a step stands; raises ``InvalidValue`` where there is none of that name."""
    names = [cell.name for cell in workflow.steps]
    if step not in names:
        raise InvalidValue(f"there is no step {step!r}, there is {', '.join(names)}")
    return names.index(step)


def ended(execution: Execution) -> dict[str, Step]:
    """The steps that were passed, by name: also the one in whose pause the execution waits."""
    pause = execution.pause
    waiting = pause.of.step if pause is not None and pause.live and pause.kind in HAS_ENDED else None
    return {
        step.name: replace(step, status=StepStatus.SUCCEEDED) if step.name == waiting else step
        for place, step in enumerate(execution.steps)
        if step.status is StepStatus.SUCCEEDED or step.name == waiting or _passed_over(execution, place)
    }


def _passed_over(execution: Execution, place: int) -> bool:
    """Skipped by a replay that began behind it; what is skipped at the end of an execution was not reached."""
    return place < execution.at and execution.steps[place].status is StepStatus.SKIPPED


def demand_reached(execution: Execution, place: int) -> None:
    """Raises ``CannotReplay`` where a step before ``place`` has not ended, so that nothing is recorded of it."""
    done = ended(execution)
    ahead = next((step for step in execution.steps[:place] if step.name not in done), None)
    if ahead is not None:
        raise CannotReplay(f"execution {execution.id} has not got so far: step {ahead.name!r} is {ahead.status}")


def differences(old: Workflow, new: Workflow, before: str) -> list[str]:
    """The steps before that step which are not the same in both versions, each with what became of it."""
    return compared(old.steps[: place_of(old, before)], new.steps[: place_of(new, before)])


def compared(old: Sequence[Cell], new: Sequence[Cell]) -> list[str]:
    """The cells that are not the same in both, each with what became of it."""
    was, now = ({cell.name: cell.source for cell in cells} for cells in (old, new))
    said = [f"{name} (changed)" for name in was if name in now and was[name] != now[name]]
    said += [f"{name} (gone)" for name in was if name not in now]
    said += [f"{name} (new)" for name in now if name not in was]
    if not said and list(was) != list(now):
        said = ["the order of the steps"]
    return said


def begun(of: Execution, workflow: Workflow, place: int, execution_id: str, now: int) -> Execution:
    """An execution of ``workflow``, not on disk yet, that starts with the step at ``place``.

    Steps before it keep what ``of`` recorded under their names; those of which it recorded nothing are skipped.
    """
    recorded = ended(of)
    steps = tuple(
        _recorded(recorded.get(cell.name), new) if at < place else new
        for at, cell in enumerate(workflow.steps)
        for new in [Step(cell.name, cell.cell_id, cell.policy)]
    )
    return Execution(
        id=execution_id,
        workflow=of.workflow,
        notebook=of.notebook,
        version=workflow.version,
        trigger=of.trigger,
        created_at=now,
        steps=steps,
        at=place,
        resume=_resume(steps[:place]),
        replay_of=of.id,
    )


def _recorded(known: Step | None, new: Step) -> Step:
    if known is None:
        return replace(new, status=StepStatus.SKIPPED)
    return replace(known, cell_id=new.cell_id, policy=new.policy, compute_ms=0)  # no cost of this one


def _resume(steps: tuple[Step, ...]) -> Json:
    """What the latest pause before was resumed with; None where its timer ended it."""
    for step in reversed(steps):
        if "$resume_data" in step.exports:
            return step.exports["$resume_data"]
        if step.asked or step.runs > 1:
            return None if step.asked else step.callback
    return None
