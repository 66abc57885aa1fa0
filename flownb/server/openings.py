"""Executions that people have opened: a live kernel in Jupyter with the variables of a checkpoint, and its notebook."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from secrets import token_urlsafe
from typing import Any, Protocol

from flownb.bridge.conversation import call
from flownb.bridge.guest import Guest
from flownb.bridge.kernel_side import KernelSide
from flownb.bridge.port import KernelDied, KernelError, Spec
from flownb.core.errors import FlowNBError
from flownb.core.jsonvalue import dumps
from flownb.core.model import Attempt, Checkpoint, Execution, PauseKind, Status, StepStatus
from flownb.core.notebook import Workflow
from flownb.core.replays import HAS_ENDED, demand_reached, ended, place_of
from flownb.core.told import recorded
from flownb.server.context import shown_context
from flownb.server.kernels import NotReady, Workshop
from flownb.server.opened_notebook import opened_notebook, write_new
from flownb.server.recorder import file_stem, record
from flownb.store import checkpoints
from flownb.store.store import Store

START_SECONDS = 60.0
"""A kernel answers within that time."""


class CannotOpen(FlowNBError):
    """No kernel could be made ready with the variables; ``reason`` says why, as an execution's would."""

    reason = "kernel_failed"


class Jupyter(Protocol):
    """What is asked of the Jupyter server: kernels that belong to a notebook, as its own pages start them."""

    async def start(self, path: str, kernelspec: str) -> tuple[str, Any]:
        """A kernel for the notebook at ``path``, with its ``KernelManager``; raises ``KernelError``."""

    async def stop(self, kernel_id: str) -> None: ...


@dataclass(frozen=True)
class Opened:
    """What a person has before them: the variables as step ``left_by`` left them, with which ``place`` would begin.

    ``execution`` is as it was then. ``left_by`` is empty where no step has ended. ``of`` is the attempt in whose pause
    it was; None where it can only go on as a replay.
    """

    kernel_id: str
    path: str
    execution: Execution
    place: int
    left_by: str
    of: Attempt | None
    manager: Any


@dataclass(frozen=True)
class _Where:
    """What is to be opened."""

    place: int
    left_by: str
    of: Attempt | None
    checkpoint: Checkpoint | None


class Openings:
    """Opens executions, and knows what is open, by the secret that its kernel was given."""

    def __init__(
        self,
        store: Store,
        workshop: Workshop,
        side: KernelSide,
        jupyter: Jupyter,
        folder: Path,
        url: str,
    ) -> None:
        """``folder`` takes the notebooks, below the server's root; ``url`` is where kernels reach the server."""
        self._store = store
        self._workshop = workshop
        self._side = side
        self._jupyter = jupyter
        self._folder = folder
        self._url = url
        self._open: dict[str, Opened] = {}

    def of_kernel(self, secret: str) -> Opened | None:
        """What the kernel with that secret has open."""
        return self._alive().get(secret)

    def latest(self, execution_id: str) -> Opened | None:
        """What was opened last of an execution."""
        return next((one for one in reversed(self._alive().values()) if one.execution.id == execution_id), None)

    def is_open(self, execution_id: str) -> bool:
        """Whether a kernel that was opened may save variables for an execution."""
        return self.latest(execution_id) is not None

    def _alive(self) -> dict[str, Opened]:
        self._open = {secret: one for secret, one in self._open.items() if one.manager.has_kernel}
        return self._open

    async def open(self, execution_id: str, step: str | None) -> Opened:
        """A kernel with the variables as they are at the execution's pause, or as ``step`` left them.

        Raises ``NotFound``, ``InvalidValue``, ``CannotReplay`` where the step has not ended, and ``CannotOpen``.
        """
        execution = await self._store.get(execution_id)
        workflow = await self._store.pinned(execution)
        where = await self._where(execution, workflow, step)
        checkpoint = await self._checkpoint(execution, where)
        path = await self._write(execution, where)
        kernel_id = ""
        try:
            kernel_id, manager = await self._kernel(path, workflow.kernelspec)
            opened = Opened(kernel_id, path, execution, where.place, where.left_by, where.of, manager)
            await self._furnish(opened, workflow, checkpoint)
        except BaseException as error:
            await self._jupyter.stop(kernel_id)
            with suppress(OSError):
                (self._workshop.root / path).unlink()
            if isinstance(error, NotReady):
                raise CannotOpen(error.error.evalue, error.reason or "kernel_failed") from None
            if isinstance(error, KernelError):
                raise CannotOpen(str(error)) from None
            raise
        return opened

    async def _kernel(self, path: str, kernelspec: str) -> tuple[str, Any]:
        """A kernel that answers. One may die as it begins: Jupyter's listen on ports that others may have taken."""
        for may_try_again in (True, True, False):
            kernel_id, manager = await self._jupyter.start(path, kernelspec)
            try:
                async with Guest(manager, START_SECONDS):
                    return kernel_id, manager
            except BaseException as error:
                await self._jupyter.stop(kernel_id)
                if not (isinstance(error, KernelDied) and may_try_again):
                    raise
        raise AssertionError("the last try returns or raises")

    async def _checkpoint(self, execution: Execution, where: _Where) -> Checkpoint | None:
        """What is on disk of it now; raises ``CannotOpen`` where that is nothing."""
        kept = await self._store.read(partial(checkpoints.of_execution, execution_id=execution.id))
        dropped = kept and all(one.checkpoint.file is None for one in kept)
        found = kept[-1].checkpoint if dropped else where.checkpoint
        if found is not None and found.file is None:
            raise CannotOpen(f"there are no variables to open: {found.why}", "checkpoint_missing")
        return found

    async def _where(self, execution: Execution, workflow: Workflow, step: str | None) -> _Where:
        now = _now(execution)
        if step is None or (step == now.left_by and now.of is not None):
            return now
        place = place_of(workflow, step) + 1
        demand_reached(execution, place)
        kept = await self._store.read(partial(checkpoints.of_step, execution_id=execution.id, step=step))
        missing = Checkpoint(None, why=f"none were kept of step {step!r}")
        return _Where(place, step, None, kept.checkpoint if kept is not None else missing)

    async def _write(self, execution: Execution, where: _Where) -> str:
        """The notebook, in a file of its own each time; its path as Jupyter has it."""
        notebook = opened_notebook(execution, where.place, where.left_by, await record(self._store, execution))
        file = await asyncio.to_thread(write_new, self._folder, f"{file_stem(execution)}-open", notebook)
        return file.relative_to(self._workshop.root).as_posix()

    async def _furnish(self, opened: Opened, workflow: Workflow, checkpoint: Checkpoint | None) -> None:
        execution = opened.execution
        spec = Spec(workflow.kernelspec, (self._workshop.root / execution.notebook).parent, None)
        shown = _as_before(execution, opened.place)
        secret = token_urlsafe(24)
        self._alive()[secret] = opened  # it may ask for its variables by that
        async with Guest(opened.manager, START_SECONDS) as kernel:
            await kernel.prepare(self._side, spec)
            await self._workshop.furnish(kernel, replace(shown, checkpoint=checkpoint), workflow, secret)
            told = {
                "url": f"{self._url}opened",
                "secret": secret,
                "place": self._workshop.where(execution, secret),
                "most": str(self._workshop.max_snapshot_bytes),
                "steps": {"trigger": {"event": execution.trigger["event"], "context": {}}, **recorded(shown)},
                "context": shown_context(shown),
            }
            self._workshop.snapshots.make(execution.id)
            await kernel.evaluate(call("opened", "begin", dumps(told)))


def _now(execution: Execution) -> _Where:
    """The execution as it stands: at its pause, or before the step that runs, failed or comes next."""
    at, step = execution.at, execution.step
    left_by = execution.steps[at - 1].name if at else ""
    if step is not None and step.runs > 1:
        left_by = step.name  # a rerun goes on with what the run before it left
    pause = execution.pause
    if execution.status is not Status.SUSPENDED or pause is None:
        return _Where(at, left_by, None, execution.checkpoint)
    if pause.kind is not PauseKind.RETRY:
        left_by = pause.of.step
    return _Where(at + (pause.kind in HAS_ENDED), left_by, pause.of, execution.checkpoint)


def _as_before(execution: Execution, place: int) -> Execution:
    """The execution as the step at ``place`` would find it: of what came later nothing is known."""
    done = ended(execution)
    steps = tuple(
        done.get(step.name, step) if at < place else replace(step, exports={}, status=StepStatus.PENDING)
        for at, step in enumerate(execution.steps)
    )
    return replace(execution, steps=steps, at=min(place, len(steps) - 1))
