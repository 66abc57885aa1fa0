"""Paused executions that are moved to another version."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from flownb.core.diff import Diff, diff
from flownb.core.errors import InvalidValue
from flownb.core.migrations import CannotMigrate, migration
from flownb.core.model import Execution, Signature
from flownb.core.notebook import Workflow
from flownb.server.deployments import Deployments, checked
from flownb.server.replays import Replays
from flownb.store import workflows
from flownb.store.engine import Database
from flownb.store.store import Change, Store


@dataclass(frozen=True)
class Moved:
    """What came of it, or would: the execution as it stands, what changed with the version, and what to know."""

    execution: Execution
    diff: Diff
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Migrations:
    """Moves executions: those of a deployed workflow to one of its versions, others to their notebook as it is now."""

    store: Store
    replays: Replays
    deployments: Deployments

    async def migrate(self, execution_id: str, number: int | None, signed: Signature, *, dry_run: bool) -> Moved:
        """Move a paused execution to the version of that number, or the latest.

        Raises ``NotFound``, ``NoSuchVersion``, ``NoSuchNotebook``, ``NotebookError``, ``CannotMigrate``, or
        ``InvalidValue`` for a number where nothing is deployed.
        """
        execution = await self.store.get(execution_id)
        old, new = await self.store.pinned(execution), await self._target(execution, number)
        event = migration(execution, old, new, signed)
        found = await asyncio.to_thread(diff, old, new)
        if dry_run or old.version == new.version:
            return Moved(execution, found, event.warnings if found else ())
        done: list[Change] = []

        def job(db: Database) -> Sequence[Change]:
            workflows.put(db, new.version, new.content, self.replays.clock.now())
            change = self.store.transition(db, execution_id, event)
            workflows.drop_unused(db, old.version)
            workflows.drop_unused(db, new.version)
            done.append(change)
            return done

        (error,) = await self.store.carry_out([job])
        if error is not None:
            raise error
        answer = done[0].answer
        if answer is None or answer.code != 200:
            raise CannotMigrate(f"execution {execution_id} has gone on meanwhile", "not_suspended")
        return Moved(done[0].after, found, event.warnings)

    async def _target(self, execution: Execution, number: int | None) -> Workflow:
        known = await self.deployments.latest(execution.workflow)
        if number is not None and known is None:
            raise InvalidValue(
                f"execution {execution.id} is of no deployed workflow: it moves to its notebook as it is"
            )
        if known is None:
            found = await self.replays.latest(execution)
            await asyncio.to_thread(checked, execution.notebook, found)
            return found
        if number is None:
            return known.workflow
        return (await self.deployments.version(execution.workflow, number)).workflow
