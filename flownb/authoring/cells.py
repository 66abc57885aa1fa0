"""The cells that a person runs while a simulation is on."""

from __future__ import annotations

import ast
import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from IPython.core.error import InputRejected

from flownb.authoring.files import Plain
from flownb.authoring.panel import show
from flownb.authoring.simulation import Simulation
from flownb.core import events
from flownb.core.calls import pause_asked, pause_call
from flownb.core.model import Checkpoint, Error, Json, Response, Step
from flownb.core.notebook import Cell
from flownb.core.settings import Input
from flownb.core.told import pd_context, recorded
from flownb.kernel.cells import MOST_BYTES, ByHand, HandRun, begin, running
from flownb.kernel.links import INERT
from flownb.kernel.record import Context, Steps
from flownb.kernel.step import SetupCell
from flownb.kernel.step import Step as RunningStep

SECRET = "FLOWNB_SECRET_"  # noqa: S105 - of a name
"""What the name of a secret has before it in the environment, as in a server's."""

PAUSED = "paused here (simulated): choose below, then run the cells on"
EXITED = "Workflow execution ended here (simulated)"


class Paused(Plain):
    """Stands at the end of a cell that paused, or ended, the simulated workflow, so that Run All stops there."""


class NotRun(InputRejected):
    """Stands in place of a cell that did not run."""

    def _render_traceback_(self) -> list[str]:
        return []


class SimulatedStep(RunningStep, ByHand):
    """A step of the simulated execution."""

    def __init__(self, simulation: Simulation, cell: Cell, step: Step) -> None:
        self._simulation = simulation
        self._begun = time.monotonic()
        told = _told(simulation, cell.name, step)
        body = simulation.execution.trigger["event"]["body"]
        told["parameters"] = body if cell.takes_parameters and isinstance(body, dict) else None
        super().__init__(told, self._asked)

    def _asked(self, what: str, call: dict[str, object]) -> None:
        if what == "pause_asked":
            self._simulation.asked(pause_asked(call))

    def ended(self, error: BaseException | None, stop: Callable[[Exception], None]) -> None:
        warnings = self._simulation.end(self._event(error))
        begin(Aside(self._simulation))
        for warning in warnings:
            print(f"simulated: {warning}")  # noqa: T201
        mails: list[dict[str, Any]] = self.mails
        for mail in mails:
            print(f"simulated: mail {mail['subject']!r} to {', '.join(mail['to']) or 'the owner'}")  # noqa: T201
        if self.response is not None:
            print(f"simulated: the caller is answered with {self.response['status']}")  # noqa: T201
        pause = self._simulation.pause
        if pause is not None:
            if error is None:
                stop(Paused(PAUSED))
            show(self._simulation, pause)
        elif self.leaving is not None and error is None:
            reason = self.leaving["reason"]
            stop(Paused(f"{EXITED}{f': {reason}' if reason else ''}"))

    def _event(self, error: BaseException | None) -> events.StepFinished | events.StepFailed:
        spent = round((time.monotonic() - self._begun) * 1000)
        if error is not None:
            final = isinstance(error, KeyboardInterrupt)
            return events.StepFailed(Error(type(error).__name__, str(error)), spent, final=final)
        calls: list[dict[str, Any]] = self.pauses
        leaving: Any = self.leaving
        response: Any = self.response
        return events.StepFinished(
            exports=self.exports,
            checkpoint=Checkpoint(None, why="simulated"),
            compute_ms=spent,
            pauses=tuple(pause_call(call) for call in calls),
            exit=events.ExitCall(leaving["reason"]) if leaving else None,
            warnings=tuple(self.warnings),
            response=Response(**response) if response else None,
        )


class Preparing(SetupCell, ByHand):
    """A cell tagged ``setup``."""

    def __init__(self, simulation: Simulation) -> None:
        super().__init__(_told(simulation, "setup", _present(simulation)), lambda what, call: None)


class Aside(HandRun):
    """A cell that is no step: it sees what the simulation has recorded, and leaves it as it is."""

    def __init__(self, simulation: Simulation) -> None:
        super().__init__()
        told = _told(simulation, "", _present(simulation))
        self.steps = Steps(told["steps"])
        self.context = Context(told["context"])


def renew(simulation: Simulation) -> None:
    """Between cells, ``pd`` shows what has come about, so that completion knows it."""
    if isinstance(running(), Aside):
        begin(Aside(simulation))


class Refused(HandRun):
    """A cell that does not run, and why."""

    def __init__(self, simulation: Simulation, why: str) -> None:
        super().__init__()
        self.why = why
        self._simulation = simulation

    def ended(self, error: BaseException | None, stop: Callable[[Exception], None]) -> None:
        begin(Aside(self._simulation))  # what a front end runs for itself is not refused


class Refusal(ast.NodeTransformer):
    """Keeps a refused cell from running: a syntax tree transformer is where IPython lets an extension do that."""

    def visit(self, node: ast.AST) -> ast.AST:
        cell = running()
        if isinstance(cell, Refused):
            raise NotRun(cell.why)
        return node


def _told(simulation: Simulation, name: str, step: Step) -> dict[str, Json]:
    """What the server would tell the kernel of a step."""
    execution = simulation.execution
    deadline = simulation.now + step.policy.timeout if step.policy.timeout else None
    context = {**pd_context(execution, step, deadline), "test": True}
    return {
        "step": name,
        "links": {**INERT, "review_url": INERT.review_url},
        "steps": {**recorded(execution), "trigger": {"event": execution.trigger["event"], "context": context}},
        "context": context,
        "parameters": None,
        "inputs": {name: _input(given) for name, given in simulation.inputs.items()},
        "data": None,
        "max_export_bytes": MOST_BYTES,
    }


def lacking(simulation: Simulation) -> str | None:
    """What to do about the first secret that a step would be given and that is not there."""
    for given in simulation.inputs.values():
        if given.secret is not None and not os.environ.get(f"{SECRET}{given.secret}"):
            return f"there is no secret {given.secret!r} here: set {SECRET}{given.secret} in this kernel's environment"
    return None


def _input(given: Input) -> dict[str, Json]:
    if given.secret is not None:
        return {"secret": os.environ.get(f"{SECRET}{given.secret}", "")}
    return {"data_store": given.data_store} if given.data_store is not None else {"value": given.value}


def _present(simulation: Simulation) -> Step:
    """The step in hand, as far as a cell that is none may ask for its run."""
    step = simulation.execution.step or Step("", "")
    return replace(step, runs=max(1, step.runs))
