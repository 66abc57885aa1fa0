"""One attempt of a step on a kernel: what is sent, what comes back, and what that means for the execution."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from flownb.bridge import port
from flownb.core import events
from flownb.core.calls import pause_asked, pause_call
from flownb.core.model import Error, Execution, Json, Response, Step
from flownb.core.notebook import Cell
from flownb.core.told import is_light
from flownb.core.transitions import NotNow
from flownb.server.carried import checkpoint_warnings
from flownb.server.clock import Clock
from flownb.server.context import Given, Links, step_context
from flownb.server.giving import Giving
from flownb.server.hidden import hidden_response
from flownb.server.kernels import Place, Workshop
from flownb.server.letters import Letters
from flownb.server.limits import Limits
from flownb.server.masked import Masked
from flownb.server.secrets import NoSecret
from flownb.store.checkpoints import StepCheckpoint
from flownb.store.queries import StepOutputs
from flownb.store.store import Store
from flownb.store.writer import StoreError

GATEWAY = "the gateway of its kernel"
"""What is lost where nobody knows what became of a step."""

LIGHT = 16 * 1024
"""Parts and characters of what a step is told, up to which it is written faster than handed to a thread."""

INTERRUPT_SECONDS = 3.0
"""A cell that is to stop is given this long to end by an interrupt, then its kernel is killed."""


@dataclass(frozen=True)
class Ended:
    """How an attempt ended, to be committed as one."""

    event: events.StepFinished | events.StepFailed | events.ServerLost
    outputs: StepOutputs
    kept: StepCheckpoint | None
    mails: list[Json]


class Attempts:
    """Runs attempts, and shows what those under way have put out so far."""

    def __init__(
        self,
        store: Store,
        workshop: Workshop,
        links: Links,
        giving: Giving,
        letters: Letters,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._store = store
        self._workshop = workshop
        self._links = links
        self._giving = giving
        self._letters = letters
        self._clock = clock
        self._limits = limits
        self._live: dict[str, tuple[Step, Masked]] = {}

    async def live_outputs(self, execution: str) -> StepOutputs | None:
        """What the step that runs now has shown so far."""
        if execution not in self._live:
            return None
        step, running = self._live[execution]
        return StepOutputs(step.attempt, await running.outputs())

    async def run(self, kernel: port.Kernel, execution: Execution, cell: Cell) -> Ended:
        """The step in hand, with its checkpoint right behind it. When cancelled, the cell is stopped."""
        step = execution.step
        assert step is not None
        asked: list[asyncio.Task[None]] = []
        mails: list[Json] = []
        place = self._workshop.place(execution, step)
        try:
            given = await self._giving.to(execution, (await self._store.pinned(execution)).settings.inputs)
        except NoSecret as error:
            event = events.StepFailed(Error("NoSecret", str(error)))
            return Ended(event, StepOutputs(step.attempt, []), None, [])
        told = replace(await self._told(execution, step, cell, given), checkpoint=place.told)
        tell = partial(self._tell, execution.id, asked)
        listening = replace(
            told,
            on_pause_asked=lambda call: tell(pause_asked(call)),
            on_responded=lambda said: tell(events.Responded(self._response(execution, said))),
            on_mail_asked=mails.append,
        )
        running = Masked(kernel, listening, given.mask)
        self._live[execution.id] = (step, running)
        try:
            ended = await self._ended(kernel, execution, step, running, place, mails)
        except asyncio.CancelledError:
            await self._stop(kernel, running)
            with suppress(StoreError):
                await self._store.keep_outputs(execution.id, StepOutputs(step.attempt, await running.outputs()))
            raise
        finally:
            del self._live[execution.id]
            await asyncio.gather(*asked)
        return ended

    async def _told(self, execution: Execution, step: Step, cell: Cell, given: Given) -> port.Cell:
        """The cell with all that ``pd`` is to know. Large exports are written off the event loop."""
        timeout = step.policy.timeout or self._limits.default_timeout
        deadline = self._clock.now() + timeout if timeout else None
        largest = self._limits.max_export_bytes
        write = partial(step_context, execution, cell, self._links, given, deadline, largest)
        carried = [execution.trigger, execution.resume, *(each.exports for each in execution.steps)]
        context = write() if is_light(carried, LIGHT) else await asyncio.to_thread(write)
        return port.Cell(cell.source, context, timeout)

    def _tell(self, execution: str, asked: list[asyncio.Task[None]], event: events.Event) -> None:
        """Put on record what a step has said while it runs."""

        async def tell() -> None:
            with suppress(NotNow, StoreError):
                await self._store.apply(execution, event)

        asked.append(asyncio.create_task(tell()))

    def _response(self, execution: Execution, said: Json) -> Response:
        """What a step has answered, as it is put on record: without the secrets of its links."""
        assert execution.step is not None
        return hidden_response(Response(**said), execution.id, execution.step.attempt, self._links.key)

    async def _ended(
        self,
        kernel: port.Kernel,
        execution: Execution,
        step: Step,
        running: Masked,
        place: Place,
        mails: list[Json],
    ) -> Ended:
        """``mails`` are those that were heard of while the step ran: all there are where its kernel dies."""
        kept: StepCheckpoint | None = None
        event: events.StepFinished | events.StepFailed
        try:
            ran = await running.finished()
        except port.GatewayLost:
            kernel.dismiss()
            return Ended(events.ServerLost(GATEWAY), StepOutputs(step.attempt, await running.outputs()), None, [])
        except port.KernelError as error:
            await kernel.shutdown()  # it may be frozen, and then the checkpoint would be waited for as long
            # A step marked `once` is not repeated after a crash, its kernel's neither, whatever its `retry` says.
            event = events.StepFailed(Error(error.ename, str(error)), running.compute_ms, final=step.policy.once)
        else:
            if ran.error is not None:
                event, said = events.StepFailed(ran.error, ran.compute_ms), None
                with suppress(port.KernelError):
                    said = running.said(await kernel.ask("step", "collect"))
            else:
                kept, said = place.kept(step, running.saved), ran.collected
                event = _finished(execution, ran, kept, self._letters.warnings(step.name, said["mails"]))
            if said is not None:
                mails = said["mails"]
                response = self._response(execution, said["response"]) if said["response"] else None
                event = replace(event, response=response)
        return Ended(event, StepOutputs(step.attempt, await running.outputs()), kept, mails)

    async def _stop(self, kernel: port.Kernel, running: Masked) -> None:
        await kernel.interrupt()
        with suppress(port.KernelError, TimeoutError):
            await asyncio.wait_for(running.finished(), INTERRUPT_SECONDS)
        await kernel.shutdown()


def _finished(execution: Execution, ran: port.Ran, kept: StepCheckpoint, unsent: list[str]) -> events.StepFinished:
    """What a cell's result means for its step."""
    said = ran.collected
    warnings = [*said["warnings"], *checkpoint_warnings(kept, paused=bool(said["pauses"])), *unsent]
    return events.StepFinished(
        exports=said["exports"],
        checkpoint=kept.checkpoint,
        compute_ms=ran.compute_ms,
        pauses=tuple(pause_call(call) for call in said["pauses"]),
        exit=events.ExitCall(said["exit"]["reason"]) if said["exit"] else None,
        warnings=tuple(warning for warning in warnings if warning not in execution.warnings),
    )
