"""Drives one execution on a kernel, from its admission to its next pause or its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from flownb import faults
from flownb.bridge.port import Kernel
from flownb.core import events
from flownb.core.model import Execution, Json, PauseKind, Status, StepStatus
from flownb.core.notebook import Workflow
from flownb.core.transitions import NotNow
from flownb.server.attempts import Attempts
from flownb.server.carried import changed_modules, modules_warning
from flownb.server.kernels import NotReady, Workshop
from flownb.server.observing.logs import about
from flownb.server.retention import Retention
from flownb.server.warm import WarmKernels
from flownb.store import checkpoints
from flownb.store.checkpoints import StepCheckpoint
from flownb.store.queries import StepOutputs
from flownb.store.store import Store
from flownb.store.writer import Fenced, StoreError

REPEATED = "flownb: execution %s is given back: step %s will be repeated"
NEXT = "flownb: execution %s is given back: step %s is next"

LONGEST_WAIT = 30.0
"""Seconds between two tries to commit a result that the disk refuses."""


class _Stopping(Exception):
    """The server stops: the step in hand is for the next one, and ``begun`` if it was sent to the kernel."""

    def __init__(self, begun: bool) -> None:
        self.begun = begun


class Runner:
    """Runs executions; each call of ``run`` is one execution's stay in a slot."""

    def __init__(
        self,
        store: Store,
        workshop: Workshop,
        warm: WarmKernels,
        attempts: Attempts,
        retention: Retention,
        log: logging.Logger | logging.LoggerAdapter[Any],
    ) -> None:
        self._store = store
        self._workshop = workshop
        self._warm = warm
        self._attempts = attempts
        self._retention = retention
        self._log = log
        self._stopping = asyncio.Event()

    def wind_down(self) -> None:
        """Let steps that run come to their end, and begin none."""
        self._stopping.set()

    async def run(self, execution: Execution) -> None:
        """Run an execution that has just been admitted, until it suspends or ends.

        When cancelled, the step is stopped and the execution given back to the store, unless it has been cancelled.
        """
        try:
            await self._run(execution)
        except NotNow:
            self._log.debug("flownb: execution %s has ended meanwhile", execution.id, extra=about(execution))
        except _Stopping as stopping:
            await self._release(execution.id, stopping.begun)
        except asyncio.CancelledError:
            await self._release(execution.id)
            raise

    async def _release(self, execution_id: str, begun: bool = True) -> None:
        """Give an execution back to the store; what cannot be put down, the next start finds out."""
        with suppress(NotNow, StoreError):
            now = await self._store.apply(execution_id, events.Released(begun))
            if now.status is Status.QUEUED and now.step is not None:
                self._log.info(REPEATED if begun else NEXT, now.id, now.step.name, extra=about(now))

    async def _run(self, execution: Execution) -> None:
        workflow = await self._store.pinned(execution)
        warnings = await self._changed_meanwhile(execution)
        try:
            kernel = await self._warm.take(execution)
            kernel = kernel or await self._workshop.ready(execution, workflow)
        except NotReady as error:
            failure = events.StepFailed(error.error, final=error.final, reason=error.reason)
            await self._commit(execution.id, failure)
            return
        try:
            said = [warning for warning in kernel.warnings if warning not in execution.warnings]
            if execution.step is not None and execution.step.status is StepStatus.PENDING:
                execution = await self._commit(execution.id, events.StepStarted((*warnings, *said)))
            execution = await self._run_steps(kernel, execution, workflow)
        except BaseException:
            await kernel.shutdown()
            raise
        self._leave(kernel, execution)

    async def _changed_meanwhile(self, execution: Execution) -> tuple[str, ...]:
        """What the record is to say of local modules that changed; a warm kernel, which has the old code, goes."""
        kept = await self._store.read(partial(checkpoints.latest, execution_id=execution.id))
        if kept is None or not kept.modules:
            return ()
        changed = await asyncio.to_thread(changed_modules, kept)
        if not changed:
            return ()
        self._warm.drop(execution.id)
        return (modules_warning(kept.step, changed),)

    async def _run_steps(self, kernel: Kernel, execution: Execution, workflow: Workflow) -> Execution:
        while execution.status is Status.RUNNING:
            if self._stopping.is_set():
                raise _Stopping(begun=False)
            faults.point("step.send")
            ended = await self._attempts.run(kernel, execution, workflow.steps[execution.at])
            faults.point("step.reply")
            if self._stopping.is_set() and _may_be_our_fault(execution, ended.event):
                raise _Stopping(begun=True)
            superseded = await self._retention.superseded(execution) if ended.kept else None
            execution = await self._commit(execution.id, ended.event, (ended.outputs,), ended.kept, ended.mails)
            if superseded is not None:
                await self._retention.forget(execution.id, superseded)
        return execution

    def _leave(self, kernel: Kernel, execution: Execution) -> None:
        """A pause keeps its kernel for a while; after a failed attempt the namespace is not the checkpoint's."""
        pause = execution.pause
        stays = execution.status is Status.SUSPENDED and pause is not None and pause.kind is not PauseKind.RETRY
        if stays and execution.checkpoint is not None:
            self._warm.put(execution, kernel)
        else:
            kernel.dismiss()  # the slot is not held until the process is gone

    async def _commit(
        self,
        execution: str,
        event: events.Event,
        outputs: Iterable[StepOutputs] = (),
        kept: StepCheckpoint | None = None,
        mails: Sequence[Json] = (),
    ) -> Execution:
        """Put a fact on disk, however long the disk refuses: the result of a step is not to be lost."""
        wait = 1.0
        while True:
            try:
                return await self._store.apply(execution, event, outputs, kept, mails)
            except Fenced:
                raise
            except StoreError as error:
                self._log.error(
                    "flownb: execution %s waits for the store: %s", execution, error, extra=about(execution)
                )
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)


def _may_be_our_fault(execution: Execution, event: events.Event) -> bool:
    """Whether a step has failed that may run again: a server that stops takes no connections, not of its kernels."""
    step = execution.step
    return isinstance(event, events.StepFailed) and step is not None and not step.policy.once
