"""Going on from what a person has opened: the pause they opened ends, or a new execution begins."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from functools import partial

from flownb.bridge.guest import Guest
from flownb.bridge.port import KernelBusy, KernelError
from flownb.core import events
from flownb.core.errors import FlowNBError, InvalidValue
from flownb.core.model import Attempt, EndedBy, Execution, Json, Pause, Step
from flownb.core.notebook import Workflow
from flownb.core.replays import CannotReplay, ended
from flownb.core.times import iso
from flownb.core.transitions import Answer, apply
from flownb.server.kernels import checkpoint_of
from flownb.server.opened_notebook import edited
from flownb.server.openings import CannotOpen, Opened
from flownb.server.replays import Repaired, Replays
from flownb.server.retention import Retention
from flownb.store import aggregate, checkpoints
from flownb.store.checkpoints import StepCheckpoint
from flownb.store.store import Store

FILE = re.compile(r"open-[0-9a-f]{16}\.snapshot")
BUSY_SECONDS = 10.0
"""A kernel is given this long to say a word; it may be running a cell."""


class PauseEnded(FlowNBError):
    """The pause that a person opened has ended meanwhile."""

    reason = "pause_ended"


@dataclass(frozen=True)
class Continued:
    """What came of it: the execution that goes on, which may be a new one."""

    execution: Execution
    message: str


@dataclass(frozen=True)
class Continuing:
    """Takes what kernels of opened executions hand in."""

    store: Store
    replays: Replays
    retention: Retention

    async def ask(self, opened: Opened, request: Json, *, replay: bool) -> Continued:
        """Have the opened kernel save its variables, then go on; raises as ``continue_`` does, and ``CannotOpen``."""
        try:
            async with Guest(opened.manager, BUSY_SECONDS) as kernel:
                saved = await kernel.ask_when_free("opened", "save")
        except KernelBusy:
            raise CannotOpen("the opened kernel is busy: let its cell end, or interrupt it", "kernel_busy") from None
        except KernelError as error:
            raise CannotOpen(f"the opened kernel cannot save its variables: {error}") from None
        return await self.continue_(opened, saved, request, replay=replay)

    async def continue_(self, opened: Opened, saved: Json, request: Json, *, replay: bool) -> Continued:
        """Go on with the variables that the opened kernel has ``saved``.

        Raises ``PauseEnded``, ``InvalidValue``, ``CannotReplay``, ``NotebookError`` or ``StoreError``; what was saved
        is gone then, and the kernel has it all still.
        """
        execution = await self.store.get(opened.execution.id)
        kept = _kept(execution, opened, saved)
        try:
            if opened.of is not None and not replay:
                return await self._resume(execution, opened.of, kept, saved["changes"], request)
            of = self._with_data(opened, kept, request) or _with_the_pause(execution, opened)
            return await self._fork(of, opened, kept, saved["changes"])
        finally:
            await self.retention.forget(execution.id, kept, saving=True)

    async def _resume(
        self, execution: Execution, of: Attempt, kept: StepCheckpoint, changes: str, request: Json
    ) -> Continued:
        former = await self.store.read(partial(checkpoints.of_step, execution_id=execution.id, step=kept.step))
        event = events.Continued(of, kept.checkpoint, changes, request)
        answer, after = await self.store.request(execution.id, event, kept)
        _demand_valid(answer)
        if answer.status != "resumed":
            raise PauseEnded(await self._how_it_ended(execution.id, of, answer))
        if former is not None:
            await self.retention.forget(execution.id, former, saving=True)
        return Continued(after, f"Execution {execution.id} goes on; you {changes or 'changed nothing'}.")

    async def _how_it_ended(self, execution_id: str, of: Attempt, answer: Answer) -> str:
        load = partial(aggregate.load_pause, execution_id=execution_id, of=of)
        pause = await self.store.read(load) or await self.store.read(partial(load, linked=False))
        how = _end(pause) if pause is not None and pause.ended_at is not None else f"is over ({answer.status})"
        return (
            f"the pause of step {of.step!r}, run {of.run}, {how}: the execution has gone its way. The variables as you "
            "have them here can become a new execution: pd.continue_(replay=True)"
        )

    def _with_data(self, opened: Opened, kept: StepCheckpoint, request: Json) -> Execution | None:
        """The execution as it was opened, and its pause resumed with the data, if there are any."""
        if request["body"] is None:
            return None
        if opened.of is None or opened.place == opened.execution.at:
            raise InvalidValue("there is no pause here that would take the data: continue without")
        event = events.Continued(opened.of, kept.checkpoint, request=request)
        resumed = apply(opened.execution, event, self.replays.clock.now())
        _demand_valid(resumed.answer)
        return resumed.execution

    async def _fork(self, of: Execution, opened: Opened, kept: StepCheckpoint, changes: str) -> Continued:
        if of.version != opened.execution.version:
            raise CannotReplay(f"execution {of.id} has moved to another version since: open it again", "changed")
        pinned = await self.replays.store.pinned(of)
        workflow = await asyncio.to_thread(self._edited, opened, pinned)
        if opened.place >= len(workflow.steps):
            raise InvalidValue("there is no step behind the one that was opened: nothing is left to run")
        step = pinned.steps[opened.place].name
        new = await self.replays.fork(of, workflow, step, repaired=Repaired(kept, changes or "changed nothing"))
        cells = "" if workflow.version == pinned.version else ", with the cells as they are in the opened notebook"
        return Continued(new, f"Execution {new.id} goes on from step {step!r} as a replay of {of.id}{cells}.")

    def _edited(self, opened: Opened, pinned: Workflow) -> Workflow:
        return edited(self.replays.notebooks.root / opened.path, pinned)


def _kept(execution: Execution, opened: Opened, saved: Json) -> StepCheckpoint:
    """The checkpoint that the kernel says it saved: in place of the one that was opened."""
    if not isinstance(saved, dict) or not FILE.fullmatch(str(saved.get("file"))):
        raise InvalidValue("the body is what an opened kernel saved")
    step = next((step for step in execution.steps if step.name == opened.left_by), Step(opened.left_by, ""))
    try:
        return checkpoint_of(step, saved["file"], saved)
    except (KeyError, TypeError) as error:
        raise InvalidValue(f"the body is what an opened kernel saved: {error!r}") from None


def _with_the_pause(execution: Execution, opened: Opened) -> Execution:
    """The execution as it is; where its pause was cancelled or failed meanwhile, as it was opened."""
    return execution if not opened.left_by or opened.left_by in ended(execution) else opened.execution


def _demand_valid(answer: Answer | None) -> None:
    """Raises ``InvalidValue`` where the form of a pause is not filled."""
    if answer is not None and answer.status == "invalid":
        wrong = "; ".join(f"{field or 'data'}: {complaint}" for field, complaint in answer.errors.items())
        raise InvalidValue(f"the data does not fill the form of the pause: {wrong}", "invalid")


def _end(pause: Pause) -> str:
    """How a pause ended, when, and by whom as far as that is known."""
    when = iso(pause.ended_at)
    if pause.ended_by is EndedBy.TIMER or pause.decision is None:
        return f"was ended by its timer at {when}"
    asker = (pause.decision.request or {}).get("client_ip")
    done = "resumed" if pause.ended_by is EndedBy.RESUME else "cancelled"
    return f"was {done} at {when} by a request" + (f" from {asker}" if asker else "")
