"""Drives one execution on a kernel, from its admission to its next pause or its end."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

from flownb.bridge.port import Kernel
from flownb.core import events
from flownb.core.model import Checkpoint, Execution, PauseKind, Status, StepStatus
from flownb.core.notebook import Workflow
from flownb.core.transitions import NotNow
from flownb.server.attempts import Attempts
from flownb.server.kernels import NotReady, Workshop
from flownb.server.versions import Versions
from flownb.server.warm import WarmKernels
from flownb.store.queries import StepOutputs
from flownb.store.store import Store
from flownb.store.writer import Fenced, StoreError

LONGEST_WAIT = 30.0
"""Seconds between two tries to commit a result that the disk refuses."""


class Runner:
    """Runs executions; each call of ``run`` is one execution's stay in a slot."""

    def __init__(
        self,
        store: Store,
        versions: Versions,
        workshop: Workshop,
        warm: WarmKernels,
        attempts: Attempts,
        log: logging.Logger | logging.LoggerAdapter[Any],
    ) -> None:
        self._store = store
        self._versions = versions
        self._workshop = workshop
        self._warm = warm
        self._attempts = attempts
        self._log = log

    async def run(self, execution: Execution) -> None:
        """Run an execution that has just been admitted, until it suspends or ends.

        When cancelled, the step is stopped and the execution given back to the store, unless it has been cancelled.
        """
        try:
            await self._run(execution)
        except NotNow:
            self._log.debug("flownb: execution %s has ended meanwhile", execution.id)
        except asyncio.CancelledError:
            with suppress(NotNow, StoreError):
                await self._store.apply(execution.id, events.Released())
            raise

    async def _run(self, execution: Execution) -> None:
        workflow = await self._versions.get(execution.version)
        try:
            kernel = self._warm.take(execution.id, execution.checkpoint)
            kernel = kernel or await self._workshop.ready(execution, workflow)
        except NotReady as error:
            failure = events.StepFailed(error.error, final=error.final, reason=error.reason)
            await self._commit(execution.id, failure)
            return
        try:
            execution = await self._run_steps(kernel, execution, workflow)
        except BaseException:
            await kernel.shutdown()
            raise
        await self._leave(kernel, execution)

    async def _run_steps(self, kernel: Kernel, execution: Execution, workflow: Workflow) -> Execution:
        if execution.step is not None and execution.step.status is StepStatus.PENDING:
            execution = await self._commit(execution.id, events.StepStarted())
        while execution.status is Status.RUNNING:
            ended = await self._attempts.run(kernel, execution, workflow.steps[execution.at])
            before = execution.checkpoint
            execution = await self._commit(execution.id, ended.event, ended.outputs)
            if before is not None and before != execution.checkpoint:
                await self._forget(execution.id, before)
        return execution

    async def _forget(self, execution: str, superseded: Checkpoint) -> None:
        if superseded.file is not None:
            file = self._workshop.folder.snapshots(execution) / superseded.file
            await asyncio.to_thread(file.unlink, missing_ok=True)

    async def _leave(self, kernel: Kernel, execution: Execution) -> None:
        """A pause keeps its kernel for a while; after a failed attempt the namespace is not the checkpoint's."""
        pause = execution.pause
        stays = execution.status is Status.SUSPENDED and pause is not None and pause.kind is not PauseKind.RETRY
        if stays and execution.checkpoint is not None:
            self._warm.put(execution.id, kernel, execution.checkpoint)
        else:
            await kernel.shutdown()

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
                wait = min(wait * 2, LONGEST_WAIT)
