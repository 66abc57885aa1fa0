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
from flownb.bridge.port import KernelError, Spec
from flownb.core.errors import FlowNBError
from flownb.core.jsonvalue import dumps
from flownb.core.model import Attempt, Checkpoint, Execution, PauseKind, Status
from flownb.core.notebook import Workflow
from flownb.core.replays import HAS_ENDED, CannotReplay, demand_reached, place_of
from flownb.server.context import recorded, shown_context
from flownb.server.kernels import NotReady, Workshop
from flownb.server.opened_notebook import opened_notebook, write_new
from flownb.server.recorder import file_stem, record
from flownb.server.versions import Versions
from flownb.store import checkpoints
from flownb.store.store import Store


class CannotOpen(FlowNBError):
    """No kernel could be made ready with the variables; ``reason`` says why, as an execution's would."""

    reason = "kernel_failed"


class Jupyter(Protocol):
    """What is asked of the Jupyter server: kernels that belong to a notebook, as its own pages start them."""

    async def start(self, path: str, kernelspec: str) -> tuple[str, Any]:
        """A kernel for the notebook at ``path``, with its ``KernelManager``."""

    async def stop(self, kernel_id: str) -> None: ...


@dataclass(frozen=True)
class Opened:
    """What a person has before them: the variables as step ``left_by`` left them, with which ``place`` would begin.

    ``left_by`` is empty where no step has ended. ``of`` is the attempt in whose pause the execution was; None where it
    can only go on as a replay.
    """

    kernel_id: str
    path: str
    execution: str
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
        versions: Versions,
        workshop: Workshop,
        side: KernelSide,
        jupyter: Jupyter,
        folder: Path,
        url: str,
    ) -> None:
        """``folder`` takes the notebooks, below the server's root; ``url`` is where kernels reach the server."""
        self._store = store
        self._versions = versions
        self._workshop = workshop
        self._side = side
        self._jupyter = jupyter
        self._folder = folder
        self._url = url
        self._open: dict[str, Opened] = {}

    def of_kernel(self, secret: str) -> Opened | None:
        """What the kernel with that secret has open."""
        return self._open.get(secret)

    def latest(self, execution_id: str) -> Opened | None:
        """What was opened last of an execution."""
        return next((one for one in reversed(self._open.values()) if one.execution == execution_id), None)

    async def open(self, execution_id: str, step: str | None) -> Opened:
        """A kernel with the variables as they are at the execution's pause, or as ``step`` left them.

        Raises ``NotFound``, ``InvalidValue``, ``CannotReplay`` where the step has not ended, and ``CannotOpen``.
        """
        execution = await self._store.get(execution_id)
        workflow = await self._versions.get(execution.version)
        where = await self._where(execution, workflow, step)
        if where.checkpoint is not None and where.checkpoint.file is None:
            raise CannotOpen(f"there are no variables to open: {where.checkpoint.why}", "checkpoint_missing")
        path = await self._write(execution, where)
        kernel_id, manager = await self._jupyter.start(path, workflow.kernelspec)
        opened = Opened(kernel_id, path, execution_id, where.place, where.left_by, where.of, manager)
        try:
            await self._furnish(opened, execution, workflow, where.checkpoint)
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

    async def _where(self, execution: Execution, workflow: Workflow, step: str | None) -> _Where:
        now = _now(execution)
        if step is None or (step == now.left_by and now.of is not None):
            return now
        place = place_of(workflow, step) + 1
        demand_reached(execution, place)
        kept = await self._store.read(partial(checkpoints.of_step, execution_id=execution.id, step=step))
        if kept is None:
            raise CannotReplay(f"no variables were kept of step {step!r}", "checkpoint_missing")
        return _Where(place, step, None, kept.checkpoint)

    async def _write(self, execution: Execution, where: _Where) -> str:
        """The notebook, in a file of its own each time; its path as Jupyter has it."""
        notebook = opened_notebook(execution, where.place, where.left_by, await record(self._store, execution))
        file = await asyncio.to_thread(write_new, self._folder, f"{file_stem(execution)}-open", notebook)
        return file.relative_to(self._workshop.root).as_posix()

    async def _furnish(
        self, opened: Opened, execution: Execution, workflow: Workflow, checkpoint: Checkpoint | None
    ) -> None:
        spec = Spec(workflow.kernelspec, (self._workshop.root / execution.notebook).parent, None)
        shown = replace(execution, at=min(opened.place, len(execution.steps) - 1))
        secret = token_urlsafe(24)
        async with Guest(opened.manager) as kernel:
            await kernel.prepare(self._side, spec)
            await self._workshop.furnish(kernel, replace(shown, checkpoint=checkpoint), workflow)
            told = {
                "url": f"{self._url}opened",
                "secret": secret,
                "folder": str(self._workshop.snapshots.folder(execution.id)),
                "pool": str(self._workshop.snapshots.pool),
                "most": str(self._workshop.max_snapshot_bytes),
                "steps": {"trigger": {"event": execution.trigger["event"], "context": {}}, **recorded(shown)},
                "context": shown_context(shown),
            }
            self._workshop.snapshots.make(execution.id)
            await kernel.evaluate(call("opened", "begin", dumps(told)))
        self._open[secret] = opened


def _now(execution: Execution) -> _Where:
    """The execution as it stands: at its pause, or before the step that runs, failed or comes next."""
    at, pause = execution.at, execution.pause
    before = execution.steps[at - 1].name if at else ""
    if execution.status is not Status.SUSPENDED or pause is None:
        return _Where(at, before, None, execution.checkpoint)
    left_by = before if pause.kind is PauseKind.RETRY else pause.of.step
    return _Where(at + (pause.kind in HAS_ENDED), left_by, pause.of, execution.checkpoint)
