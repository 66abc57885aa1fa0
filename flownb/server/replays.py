"""Replays: new executions that begin where an earlier one had got to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from secrets import token_hex

from flownb.core.model import Checkpoint, Execution
from flownb.core.notebook import Workflow
from flownb.core.replays import CannotReplay, begun, demand_reached, differences, place_of
from flownb.server.clock import Clock
from flownb.server.notebooks import Notebooks
from flownb.store import checkpoints
from flownb.store.checkpoints import StepCheckpoint
from flownb.store.snapshots import AnySnapshots
from flownb.store.store import Store


@dataclass(frozen=True)
class Repaired:
    """A namespace that a person changed, and what they changed, in words."""

    kept: StepCheckpoint
    changes: str


@dataclass(frozen=True)
class Replays:
    """Makes replays."""

    store: Store
    snapshots: AnySnapshots
    notebooks: Notebooks
    clock: Clock

    async def replay(self, execution_id: str, step: str | None, *, latest: bool, force: bool) -> Execution:
        """A new execution from ``step`` on, None for the first, of the same version or the latest.

        Raises ``NotFound``, ``InvalidValue`` for a step that there is not, ``CannotReplay``, and for the latest version
        ``NoSuchNotebook`` or ``NotebookError``.
        """
        of = await self.store.get(execution_id)
        workflow = await self.latest(of) if latest else await self.store.pinned(of)
        return await self.fork(of, workflow, step, force=force)

    async def latest(self, of: Execution) -> Workflow:
        """The workflow as its notebook is now."""
        _, found = await self.notebooks.workflow(of.notebook)
        return await self.store.workflow(found.version) or found

    async def fork(
        self,
        of: Execution,
        workflow: Workflow,
        step: str | None,
        *,
        force: bool = False,
        repaired: Repaired | None = None,
    ) -> Execution:
        """A new execution of ``workflow`` that goes on from ``step``, maybe with repaired variables."""
        old = await self.store.pinned(of)
        warnings = [f"it starts with variables that a person opened: {repaired.changes}"] if repaired else []
        behind: list[str] = []
        if step is not None:
            behind = [cell.name for cell in old.steps[: place_of(old, step)]]
            demand_reached(of, len(behind))
            if changed := differences(old, workflow, step):
                said = f"before step {step!r}, the version differs from that of {of.id}: {', '.join(changed)}"
                if not force:
                    advice = "" if repaired else "; `force` keeps what was recorded all the same"
                    raise CannotReplay(f"{said}{advice}", "changed")
                warnings.append(said)
        place = place_of(workflow, step) if step is not None else 0
        new = begun(of, workflow, place, token_hex(8), self.clock.now())
        return await self._create(of, replace(new, warnings=tuple(warnings)), workflow, behind, repaired)

    async def _create(
        self,
        of: Execution,
        new: Execution,
        workflow: Workflow,
        behind: list[str],
        repaired: Repaired | None,
    ) -> Execution:
        """With its own links to the checkpoints of the steps ``behind``."""
        found = await self.store.read(partial(checkpoints.of_execution, execution_id=of.id))
        kept = [one for one in found if one.step in behind]
        if repaired is not None:
            kept = [one for one in kept if one.step != repaired.kept.step]
            kept.append(replace(repaired.kept, at=new.created_at))
        if kept or behind:
            new = replace(new, checkpoint=_namespace(of, kept, repaired.kept.step if repaired else behind[-1]))
        try:
            await asyncio.to_thread(self._copy, of.id, kept, new.id)
        except OSError as error:
            await asyncio.to_thread(self.snapshots.remove, new.id)
            raise CannotReplay(f"the snapshots of {of.id} cannot be had: {error}", "checkpoint_missing") from None
        return await self.store.create(new, workflow.content, kept)

    def _copy(self, of: str, kept: list[StepCheckpoint], to: str) -> None:
        for one in kept:
            if one.checkpoint.file is not None:
                self.snapshots.copy(of, one.checkpoint.file, one.blobs, to)


def _namespace(of: Execution, kept: list[StepCheckpoint], step: str) -> Checkpoint:
    """The checkpoint that the replay begins with; raises ``CannotReplay`` where there is none."""
    found = next((one.checkpoint for one in kept if one.step == step), None)
    if found is None or found.file is None:
        why = found.why if found else "none was made"
        raise CannotReplay(
            f"execution {of.id} has no variables as step {step!r} left them ({why}): begin at an earlier step",
            "checkpoint_missing",
        )
    return found
