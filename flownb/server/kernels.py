"""A kernel made ready for an execution: in its folder, with its setup cells run and its variables back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flownb.bridge.port import AskFailed, Cell, Kernel, KernelError, Kernels, Spec
from flownb.core import notebook
from flownb.core.model import Checkpoint, Error, Execution
from flownb.server.context import Links, setup_context
from flownb.server.limits import Limits
from flownb.store.folder import DataFolder

REASONS = {
    "CheckpointMissing": "checkpoint_missing",
    "SnapshotDamaged": "snapshot_damaged",
    "SnapshotIncompatible": "snapshot_incompatible",
}
"""What an execution gives as its reason when its variables cannot be had back."""


class NotReady(Exception):
    """No kernel could be made ready: the step that was to run fails of ``error``."""

    def __init__(self, error: Error, reason: str | None = None, *, final: bool = True) -> None:
        super().__init__(error.evalue)
        self.error = error
        self.reason = reason
        self.final = final


@dataclass(frozen=True)
class Saved:
    """A checkpoint, and the variables that it could not take whole, as the kernel describes them."""

    checkpoint: Checkpoint
    not_whole: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True)
class Workshop:
    """Makes kernels ready."""

    kernels: Kernels
    folder: DataFolder
    root: Path
    links: Links
    memory_limit: int | None
    limits: Limits

    async def ready(self, execution: Execution, workflow: notebook.Workflow) -> Kernel:
        """A kernel with the namespace of the execution's checkpoint; raises ``NotReady``."""
        if execution.checkpoint is not None and execution.checkpoint.file is None:
            raise _no_namespace("CheckpointMissing", execution.checkpoint.why)
        spec = Spec(workflow.kernelspec, (self.root / execution.notebook).parent, self.memory_limit)
        try:
            kernel = await self.kernels.start(spec)
        except KernelError as error:
            raise NotReady(Error(error.ename, str(error)), final=False) from None
        try:
            for cell in workflow.setup:
                await self._set_up(kernel, execution, cell)
            if execution.checkpoint is not None:
                await self._restore(kernel, execution.id, execution.checkpoint)
        except BaseException:
            await kernel.shutdown()
            raise
        return kernel

    async def _set_up(self, kernel: Kernel, execution: Execution, cell: notebook.Cell) -> None:
        told = setup_context(execution, cell, self.links, self.limits.max_export_bytes)
        try:
            ran = await kernel.execute(Cell(cell.source, told, self.limits.default_timeout)).finished()
        except KernelError as error:
            raise NotReady(Error(error.ename, f"in a setup cell: {error}"), final=False) from None
        if ran.error is not None:
            said = f"in {cell.name!r}, a cell tagged `setup`: {ran.error.evalue}"
            raise NotReady(Error(ran.error.ename, said, ran.error.traceback), final=False)

    async def _restore(self, kernel: Kernel, execution: str, checkpoint: Checkpoint) -> None:
        assert checkpoint.file is not None
        path = self.folder.snapshots(execution) / checkpoint.file
        try:
            await kernel.ask("snapshot", "load", str(path), checkpoint.digest)
        except AskFailed as error:
            raise _no_namespace(error.ename, str(error)) from None
        except KernelError as error:
            raise NotReady(Error(error.ename, f"while the variables were restored: {error}"), final=False) from None

    async def save(self, kernel: Kernel, execution: str, file: str) -> Saved:
        """The namespace as a checkpoint; never raises ``KernelError``, since the step's result is worth more."""
        folder = self.folder.snapshots(execution)
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            saved = await kernel.ask("snapshot", "save", str(folder / file))
        except (KernelError, OSError) as error:
            return Saved(Checkpoint(None, why=f"the variables could not be saved: {error}"))
        not_whole = tuple(variable for variable in saved["variables"] if variable["reason"])
        return Saved(Checkpoint(file, saved["digest"], saved["size"]), not_whole)


def _no_namespace(ename: str, why: str) -> NotReady:
    reason = REASONS.get(ename, "snapshot_incompatible")
    advice = "no finished step is repeated, so start the workflow again"
    return NotReady(Error(ename, f"{why}; {advice}"), reason)
