"""Drives one execution on a kernel, from its admission to its next pause or its end."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

from flownb.bridge import port
from flownb.core import events
from flownb.core.model import Checkpoint, Error, Execution, Json, PauseKind, Status, Step, StepStatus
from flownb.core.notebook import Cell, Workflow
from flownb.core.transitions import NotNow
from flownb.server.clock import Clock
from flownb.server.context import Links, step_context
from flownb.server.kernels import NotReady, Workshop
from flownb.server.versions import Versions
from flownb.server.warm import WarmKernels
from flownb.store.queries import StepOutputs
from flownb.store.store import Store
from flownb.store.writer import Fenced, StoreError

INTERRUPT_SECONDS = 3.0
"""A cell of a cancelled execution is given this long to end by an interrupt, then its kernel is killed."""


@dataclass(frozen=True)
class Limits:
    """``default_timeout`` in ms of one attempt of a step that sets none; None for no limit."""

    default_timeout: int | None
    max_export_bytes: int


class Runner:
    """Runs executions; each call of ``run`` is one execution's stay in a slot."""

    def __init__(
        self,
        store: Store,
        versions: Versions,
        workshop: Workshop,
        warm: WarmKernels,
        links: Links,
        clock: Clock,
        limits: Limits,
        log: logging.Logger | logging.LoggerAdapter[Any],
    ) -> None:
        self._store = store
        self._versions = versions
        self._workshop = workshop
        self._warm = warm
        self._links = links
        self._clock = clock
        self._limits = limits
        self._log = log
        self._live: dict[str, tuple[Step, port.Running]] = {}

    def live_outputs(self, execution: str) -> StepOutputs | None:
        """What the step that runs now has shown so far."""
        if execution not in self._live:
            return None
        step, running = self._live[execution]
        return StepOutputs(step.attempt, running.outputs)

    async def run(self, execution: Execution) -> None:
        """Run an execution that has just been admitted, until it suspends or ends.

        When cancelled, the cell is interrupted; what was not committed is given back to the store, or is of no
        interest any more because the execution itself was cancelled.
        """
        kernel: port.Kernel | None = None
        try:
            workflow = await self._versions.get(execution.version)
            kernel = self._warm.take(execution.id, execution.checkpoint)
            if kernel is None:
                kernel = await self._workshop.ready(execution, workflow)
            execution = await self._run_steps(kernel, execution, workflow)
        except NotReady as error:
            failure = events.StepFailed(error.error, final=error.final, reason=error.reason)
            await self._commit(execution.id, failure)
        except NotNow:
            self._log.debug("flownb: execution %s has ended meanwhile", execution.id)
        finally:
            self._live.pop(execution.id, None)
            pause = execution.pause
            stays = execution.status is Status.SUSPENDED and pause is not None and pause.kind is not PauseKind.RETRY
            if kernel is not None and stays and execution.checkpoint is not None:
                self._warm.put(execution.id, kernel, execution.checkpoint)
            elif kernel is not None:
                await kernel.shutdown()

    async def _run_steps(self, kernel: port.Kernel, execution: Execution, workflow: Workflow) -> Execution:
        if execution.step is not None and execution.step.status is StepStatus.PENDING:
            execution = await self._commit(execution.id, events.StepStarted())
        while execution.status is Status.RUNNING:
            before = execution.checkpoint
            execution = await self._run_step(kernel, execution, workflow.steps[execution.at])
            if execution.checkpoint != before and before is not None and before.file is not None:
                superseded = self._workshop.folder.snapshots(execution.id) / before.file
                await asyncio.to_thread(superseded.unlink, missing_ok=True)
        return execution

    async def _run_step(self, kernel: port.Kernel, execution: Execution, cell: Cell) -> Execution:
        """One attempt of the step in hand: sent, with its checkpoint right behind it, and both committed as one."""
        step = execution.step
        assert step is not None
        timeout = step.policy.timeout or self._limits.default_timeout
        deadline = self._clock.now() + timeout if timeout else None
        # Exports may be large: they are written off the event loop.
        told = await asyncio.to_thread(
            step_context,
            execution,
            cell,
            self._links,
            deadline=deadline,
            max_export_bytes=self._limits.max_export_bytes,
        )
        asked: list[asyncio.Task[None]] = []
        on_asked = partial(self._pause_asked, execution.id, asked)
        running = kernel.execute(port.Cell(cell.source, told, timeout, on_asked))
        self._live[execution.id] = (step, running)
        saving = asyncio.create_task(self._save(kernel, execution, step))
        try:
            ran = await running.finished()
            checkpoint, lost = await saving
        except port.KernelError as error:
            await asyncio.gather(saving, *asked)
            failed = events.StepFailed(Error(error.ename, str(error)))
            return await self._commit(execution.id, failed, StepOutputs(step.attempt, running.outputs))
        except asyncio.CancelledError:
            await self._interrupt(kernel, running)
            await asyncio.gather(saving, *asked)
            await self._give_up(execution.id, StepOutputs(step.attempt, running.outputs))
            raise
        await asyncio.gather(*asked)
        return await self._commit(
            execution.id, _ending(execution, ran, checkpoint, lost), StepOutputs(step.attempt, ran.outputs)
        )

    async def _save(
        self, kernel: port.Kernel, execution: Execution, step: Step
    ) -> tuple[Checkpoint, list[dict[str, str]]]:
        if not step.policy.checkpoint:
            return Checkpoint(None, why=f"step {step.name!r} turned its checkpoint off"), []
        # Never a file that is in use: a repeat after a crash starts from the one before.
        return await self._workshop.save(kernel, execution.id, f"{execution.at}-{uuid4().hex[:8]}.snapshot")

    def _pause_asked(self, execution: str, asked: list[asyncio.Task[None]]) -> None:
        async def tell() -> None:
            with suppress(NotNow, StoreError):
                await self._store.apply(execution, events.PauseAsked())

        asked.append(asyncio.create_task(tell()))

    async def _interrupt(self, kernel: port.Kernel, running: port.Running) -> None:
        await kernel.interrupt()
        with suppress(port.KernelError, TimeoutError):
            await asyncio.wait_for(running.finished(), INTERRUPT_SECONDS)
        await kernel.shutdown()

    async def _give_up(self, execution: str, outputs: StepOutputs) -> None:
        """The step was not to end: give the execution back, unless it has been cancelled, and keep what it showed."""
        with suppress(NotNow, StoreError):
            await self._store.keep_outputs(execution, outputs)
            await self._store.apply(execution, events.Released())

    async def _commit(self, execution: str, event: events.Event, *outputs: StepOutputs) -> Execution:
        """Put a fact on disk, however long the disk refuses: the result of a step is not to be lost."""
        wait = 1.0
        while True:
            try:
                return await self._store.apply(execution, event, outputs)
            except Fenced:
                raise
            except StoreError as error:
                self._log.error("flownb: execution %s waits for the store: %s", execution, error)
                await asyncio.sleep(wait)
                wait = min(wait * 2, 30.0)


def _ending(
    execution: Execution, ran: port.Ran, checkpoint: Checkpoint, lost: list[dict[str, str]]
) -> events.StepFinished | events.StepFailed:
    """What a cell's result means for its step."""
    if ran.error is not None:
        return events.StepFailed(ran.error, ran.compute_ms)
    said: Json = ran.collected
    warnings = list(said["warnings"])
    if said["pauses"]:
        warnings += [_not_carried(variable) for variable in lost]
    if checkpoint.file is None:
        warnings.append(checkpoint.why)
    return events.StepFinished(
        exports=said["exports"],
        checkpoint=checkpoint,
        compute_ms=ran.compute_ms,
        pauses=tuple(events.PauseCall(**{**call, "kind": PauseKind(call["kind"])}) for call in said["pauses"]),
        exit=events.ExitCall(said["exit"]["reason"]) if said["exit"] else None,
        warnings=tuple(warning for warning in warnings if warning not in execution.warnings),
    )


def _not_carried(variable: dict[str, str]) -> str:
    made = f" of step {variable['step']!r}" if variable.get("step") else ""
    whole = "is not" if variable["status"] == "lost" else "is not wholly"
    return (
        f"variable {variable['name']!r}{made} ({variable['type']}) {whole} carried over a pause: {variable['reason']}; "
        "make it in a cell tagged `setup`"
    )
