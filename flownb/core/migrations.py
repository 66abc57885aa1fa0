"""A paused execution that goes on with another version, which has the steps that it has run unchanged."""

from __future__ import annotations

from flownb.core.errors import FlowNBError
from flownb.core.events import Migrated
from flownb.core.model import NOBODY, Execution, Signature, Step
from flownb.core.notebook import Workflow
from flownb.core.replays import compared
from flownb.core.transitions import live_pause


class CannotMigrate(FlowNBError):
    """The execution stays as it is; ``reason`` is ``changed`` or ``not_suspended``."""

    reason = "changed"


def migration(execution: Execution, old: Workflow, new: Workflow, signature: Signature = NOBODY) -> Migrated:
    """The event that takes a paused execution from the version that it is pinned to, to another.

    Raises ``CannotMigrate`` where it is not paused, or where a cell that it has run is not the same in both, the one in
    whose pause it waits included.
    """
    pause = live_pause(execution)
    if pause is None:
        raise CannotMigrate(f"execution {execution.id} is {execution.status}: only a paused one moves", "not_suspended")
    begun = execution.at + 1
    changed = compared(old.steps[:begun], new.steps[:begun])
    if old.kernelspec != new.kernelspec:
        changed.append(f"the kernelspec ({old.kernelspec} -> {new.kernelspec})")
    if changed:
        what = f"what execution {execution.id} has run is not the same in the other version"
        raise CannotMigrate(f"{what}: {', '.join(changed)}; replay it from an earlier step instead")
    steps = tuple(Step(cell.name, cell.cell_id, cell.policy) for cell in new.steps)
    return Migrated(pause.of, new.version, steps, _warnings(old, new, pause.of.step), signature)


def _warnings(old: Workflow, new: Workflow, waits_in: str) -> tuple[str, ...]:
    moved = f"moved from version {old.version[:8]} to {new.version[:8]} while it waited in step {waits_in!r}"
    if [cell.source for cell in old.setup] == [cell.source for cell in new.setup]:
        return (moved,)
    return (moved, "the setup cells are others now: they run before the next step, whose variables are as they were")
