"""A kernel made ready for an execution: in its folder, with its setup cells run and its variables back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from flownb import faults
from flownb.bridge.port import AskFailed, Cell, GatewayLost, Kernel, KernelError, Kernels, Spec, Talks
from flownb.core import notebook
from flownb.core.jsonvalue import dumps
from flownb.core.model import Checkpoint, Error, Execution, Json, Step
from flownb.core.settings import Input
from flownb.server.context import Links, setup_context
from flownb.server.giving import Giving
from flownb.server.limits import Limits
from flownb.server.masked import Masked
from flownb.server.secrets import NoSecret
from flownb.store.checkpoints import StepCheckpoint
from flownb.store.snapshots import AnySnapshots

REASONS = {
    "CheckpointMissing": "checkpoint_missing",
    "SnapshotDamaged": "snapshot_damaged",
    "SnapshotIncompatible": "snapshot_incompatible",
}
"""What an execution gives as its reason when its variables cannot be had back."""


NICE = 5
"""The server is to answer, whatever kernels compute."""

GATEWAYS_TRIED = 3
"""So often a kernel is made ready elsewhere when the gateway that it was on is lost meanwhile."""

NOT_SAVED = "the variables could not be saved"


class NotReady(Exception):
    """No kernel could be made ready: the step that was to run fails of ``error``."""

    def __init__(self, error: Error, reason: str | None = None, *, final: bool = True) -> None:
        super().__init__(error.evalue)
        self.error = error
        self.reason = reason
        self.final = final


@dataclass(frozen=True)
class Workshop:
    """Makes kernels ready."""

    kernels: Kernels
    snapshots: AnySnapshots
    root: Path
    links: Links
    giving: Giving
    memory_limit: int | None
    max_snapshot_bytes: int
    limits: Limits

    async def ready(self, execution: Execution, workflow: notebook.Workflow) -> Kernel:
        """A kernel with the namespace of the execution's checkpoint; raises ``NotReady``."""
        if execution.checkpoint is not None and execution.checkpoint.file is None:
            raise _no_namespace("CheckpointMissing", execution.checkpoint.why)
        folder = (self.root / execution.notebook).parent
        spec = Spec(workflow.kernelspec, folder, self.memory_limit, NICE, gateway=workflow.settings.gateway)
        for tries_left in reversed(range(GATEWAYS_TRIED)):
            try:
                return await self._furnished(spec, execution, workflow)
            except GatewayLost as error:  # the step has not begun
                if not tries_left:
                    raise NotReady(Error(error.ename, str(error)), final=False) from None
            except KernelError as error:
                raise NotReady(Error(error.ename, str(error)), final=False) from None
        raise AssertionError("the last try returns or raises")

    async def _furnished(self, spec: Spec, execution: Execution, workflow: notebook.Workflow) -> Kernel:
        kernel = await self.kernels.start(spec)
        try:
            await self.furnish(kernel, execution, workflow)
        except BaseException:
            await kernel.shutdown()
            raise
        return kernel

    async def furnish(
        self, kernel: Talks, execution: Execution, workflow: notebook.Workflow, opened: str | None = None
    ) -> None:
        """Run the setup cells and bring the variables back; raises ``NotReady`` or ``GatewayLost``.

        ``opened`` is the secret of a kernel that a person opened.
        """
        for cell in workflow.setup:
            await self._set_up(kernel, execution, cell, workflow.settings.inputs)
        if execution.checkpoint is not None:
            await self._restore(kernel, self.where(execution, opened), execution.checkpoint)

    async def _set_up(
        self, kernel: Talks, execution: Execution, cell: notebook.Cell, inputs: Mapping[str, Input]
    ) -> None:
        try:
            given = await self.giving.to(execution, inputs)
            told = setup_context(execution, cell, self.links, given, self.limits.max_export_bytes)
            ran = await Masked(kernel, Cell(cell.source, told, self.limits.default_timeout), given.mask).finished()
        except NoSecret as error:
            raise NotReady(Error("NoSecret", str(error)), final=False) from None
        except GatewayLost:
            raise
        except KernelError as error:
            raise NotReady(Error(error.ename, f"in a setup cell: {error}"), final=False) from None
        if ran.error is not None:
            said = f"in {cell.name!r}, a cell tagged `setup`: {ran.error.evalue}"
            raise NotReady(Error(ran.error.ename, said, ran.error.traceback), final=False)

    def where(self, execution: Execution, opened: str | None = None) -> str:
        """What a kernel is told of where the execution's snapshots are."""
        told = self.snapshots.told(execution.id)
        if "folder" in told:  # which it may not see
            told["server"] = self.giving.to_snapshots(execution, opened)
        return dumps(told)

    async def _restore(self, kernel: Talks, where: str, checkpoint: Checkpoint) -> None:
        assert checkpoint.file is not None
        faults.point("restore.ask")
        try:
            await kernel.ask("snapshot", "load", where, checkpoint.file, checkpoint.digest)
        except AskFailed as error:
            if error.ename == "PlaceUnreachable":
                raise NotReady(Error(error.ename, str(error)), final=False) from None
            raise _no_namespace(error.ename, str(error)) from None
        except GatewayLost:
            raise
        except KernelError as error:
            raise NotReady(Error(error.ename, f"while the variables were restored: {error}"), final=False) from None

    def place(self, execution: Execution, step: Step) -> Place:
        """Where the namespace goes as the step in hand leaves it."""
        if not step.policy.checkpoint:
            return Place("", why=f"step {step.name!r} turned its checkpoint off")
        # Never a file that is in use: a repeat after a crash starts from the one before.
        name = f"{execution.at}-{uuid4().hex[:8]}.snapshot"
        try:
            self.snapshots.make(execution.id)
        except OSError as error:
            return Place("", why=f"{NOT_SAVED}: {error}")
        return Place(name, (self.where(execution), name, str(self.max_snapshot_bytes)))


@dataclass(frozen=True)
class Place:
    """The file of a checkpoint, and what the kernel is told of it; nothing, and why, where there is to be none."""

    file: str
    told: tuple[str, ...] = ()
    why: str = ""

    def kept(self, step: Step, saved: Callable[[], Json]) -> StepCheckpoint:
        """What became of it, by what the kernel ``saved`` after the cell has ended well.

        Never raises ``KernelError``: the step's result is worth more. A checkpoint without a file says why it has none.
        """
        if not self.told:
            return _without(step, self.why)
        try:
            return checkpoint_of(step, self.file, saved())
        except KernelError as error:
            return _without(step, f"{NOT_SAVED}: {error}")


def checkpoint_of(step: Step, file: str, saved: Json) -> StepCheckpoint:
    """The checkpoint that a kernel says it saved."""
    return StepCheckpoint(
        step.name,
        step.runs,
        Checkpoint(file, saved["digest"], saved["size"]),
        saved["stored"],
        tuple(saved["blobs"]),
        tuple(saved["variables"]),
        saved["modules"],
        saved["packages"],
        ms=saved["ms"],
    )


def _without(step: Step, why: str) -> StepCheckpoint:
    return StepCheckpoint(step.name, step.runs, Checkpoint(None, why=why))


def _no_namespace(ename: str, why: str) -> NotReady:
    reason = REASONS.get(ename, "snapshot_incompatible")
    advice = "no finished step is repeated: `flownb replay` can begin again from an earlier one"
    return NotReady(Error(ename, f"{why}; {advice}"), reason)
