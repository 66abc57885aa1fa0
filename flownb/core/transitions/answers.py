"""The answer to the caller of the HTTP trigger: the first one that a step gives stands."""

from __future__ import annotations

from flownb.core import events
from flownb.core.frozen import replace
from flownb.core.model import Execution, Response, Status, StepStatus
from flownb.core.responses import over
from flownb.core.transitions.outcome import Outcome, demand, present, warn


def responded(execution: Execution, event: events.Responded, now: int) -> Outcome:
    """The step has called ``pd.respond`` for an answer at once."""
    demand(execution.status is Status.RUNNING, execution, "an answer")
    demand(present(execution).status is StepStatus.RUNNING, execution, "an answer")
    return Outcome(answer(execution, event.response))


def answer(execution: Execution, response: Response | None) -> Execution:
    """The present attempt answers, if nothing has; where it is repeated after a crash, it has said the same before."""
    step = present(execution)
    if response is None or (execution.response is not None and execution.response.of == step.attempt):
        return execution
    if execution.response is None:
        return replace(execution, response=replace(response, of=step.attempt))
    late = f"step {step.name!r} called pd.respond after an answer was given: the first one stands"
    return execution if late in execution.warnings else warn(execution, late)


def settled(outcome: Outcome) -> Outcome:
    """At a pause or at the end, an answer that was to wait for it is due."""
    response = outcome.execution.response
    if response is None or response.due or not over(outcome.execution):
        return outcome
    return replace(outcome, execution=replace(outcome.execution, response=replace(response, due=True)))
