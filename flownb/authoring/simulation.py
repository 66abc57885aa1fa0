"""A simulated execution: real rules, cells that a person runs, and a clock that stands still unless it is moved."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from secrets import token_hex

from flownb.authoring.files import Plain
from flownb.authoring.story import came, standing
from flownb.core import events
from flownb.core.model import Action, Execution, Json, Pause, Signature, Status, Step, StepStatus
from flownb.core.notebook import Workflow
from flownb.core.payload import shape
from flownb.core.replays import begun
from flownb.core.settings import Input
from flownb.core.times import iso
from flownb.core.transitions import Outcome, apply
from flownb.core.transitions.outcome import live_pause


class OutOfOrder(Plain):
    """A cell that cannot run now in the simulated workflow."""


class Simulation:
    """One execution in memory. May be used from several threads: buttons are pressed in any."""

    def __init__(self, notebook: str, data: Json, now: int) -> None:
        self.now = now
        self.execution = Execution(
            id=f"simulated-{token_hex(4)}",
            workflow=notebook,
            notebook=notebook,
            version="",
            trigger={"type": "simulation", "event": {"body": data}},
            created_at=now,
            steps=(),
        )
        self.inputs: Mapping[str, Input] = {}
        self.listeners: list[Callable[[], None]] = []
        self._lock = threading.RLock()

    @property
    def pause(self) -> Pause | None:
        """The pause that it waits in."""
        return live_pause(self.execution)

    @property
    def closed(self) -> str | None:
        """Why no later cell may run now; None where the next one may."""
        return standing(self.execution)

    def begin(self, workflow: Workflow, place: int) -> Step:
        """The step at ``place`` begins: the one in hand, or the workflow goes back or ahead to it.

        Raises ``OutOfOrder`` for a later one where the workflow waits or is over.
        """
        with self._lock:
            here = self.execution
            at = _at(here, workflow)
            if place > at and self.closed is not None:
                raise OutOfOrder(self.closed)
            again = replace(begun(here, workflow, place, here.id, here.created_at), replay_of=None)
            if place == at and here.step is not None and here.step.status is StepStatus.PENDING:
                again = _in_hand(here, again)
            self.execution = again
            if again.status is Status.QUEUED:
                self._happen(events.Admitted())
            self._happen(events.StepStarted())
            return self._step()

    def asked(self, call: events.PauseAsked) -> None:
        """The running step called for a pause."""
        self._happen(call)

    def end(self, event: events.StepFinished | events.StepFailed) -> tuple[str, ...]:
        """The running step has ended; gives the warnings that the record got."""
        with self._lock:
            known = len(self.execution.warnings)
            self._happen(event)
            return self.execution.warnings[known:]

    def decide(self, pause: Pause, action: Action, data: Json = None) -> tuple[str, dict[str, str]]:
        """A person resumes or cancels; what came of it, and by field what is wrong with the data of a form."""
        with self._lock:
            if self.execution.pause is not pause or not pause.live:
                return "this pause is over", {}
            event = events.RequestArrived(action, self._request(action, data), signature=Signature(via="page"))
            outcome = self._happen(event)
            assert outcome.answer is not None
            if outcome.answer.errors:
                return "this does not fit the form", outcome.answer.errors
            return f"{outcome.answer.status}: {came(pause, self.execution)}", {}

    def fire(self, pause: Pause) -> str:
        """The clock moves to the pause's time; what came of it."""
        with self._lock:
            if self.execution.pause is not pause or not pause.live:
                return "this pause is over"
            assert pause.wakes_at is not None
            self.now = max(self.now, pause.wakes_at)
            self._happen(events.TimerFired())
            return f"timer of step {pause.of.step!r} fired: {came(pause, self.execution)}"

    def tick(self, span: int | None) -> str | None:
        """Moves the clock by ``span`` ms, or to the next due time; what fired, if something did."""
        with self._lock:
            pause = self.pause
            if span is None:
                return self.fire(pause) if pause is not None else None
            until = self.now + span
            due = pause is not None and pause.wakes_at is not None and pause.wakes_at <= until
            said = self.fire(pause) if due and pause is not None else None
            self.now = until
            return said

    def close(self) -> None:
        """Nobody looks at it any more: what it waits for is over."""
        with self._lock:
            self.execution = replace(self.execution, pause=None)
            self._tell()

    def _step(self) -> Step:
        step = self.execution.step
        assert step is not None
        return step

    def _happen(self, event: events.Event) -> Outcome:
        with self._lock:
            outcome = apply(self.execution, event, self.now)
            self.execution = _rested(outcome.execution) if isinstance(event, events.StepFinished) else outcome.execution
            self._tell()
            return outcome

    def _tell(self) -> None:
        for listener in self.listeners:
            listener()

    def _request(self, action: Action, data: Json) -> Json:
        path = f"/flownb/inert/{action}"
        return shape(
            method="POST",
            path=path,
            url=f"http://127.0.0.1{path}",
            query="",
            headers=[("Content-Type", "application/json")],
            client_ip="127.0.0.1",
            body=data,
            received_at=iso(self.now) or "",
        )


def _at(execution: Execution, workflow: Workflow) -> int:
    """Where the step in hand stands in ``workflow``, which may be a later version; else behind those before it."""
    places = {step.name: place for place, step in enumerate(workflow.steps)}
    step = execution.step
    if step is not None and step.name in places:
        return places[step.name]
    return 1 + max((places[one.name] for one in execution.steps[: execution.at] if one.name in places), default=-1)


def _in_hand(here: Execution, again: Execution) -> Execution:
    """The execution as it is, with the steps as they are now; the one in hand keeps which run it is in."""
    new = again.steps[again.at]
    assert here.step is not None
    kept = replace(here.step, name=new.name, cell_id=new.cell_id, policy=new.policy)
    steps = (*again.steps[: again.at], kept, *again.steps[again.at + 1 :])
    return replace(here, steps=steps, at=again.at, version=again.version)


def _rested(execution: Execution) -> Execution:
    """By hand, the next step begins when its cell is run, not with the end of the one before."""
    if execution.status is not Status.RUNNING or execution.step is None:
        return execution
    waits = replace(execution.step, status=StepStatus.PENDING, runs=0, attempts=0, started_at=None)
    steps = (*execution.steps[: execution.at], waits, *execution.steps[execution.at + 1 :])
    return replace(execution, steps=steps)
