"""How long executions are kept, and their snapshots: of each step the latest, until some time after their end."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from functools import partial
from typing import Any

from flownb import faults
from flownb.core.model import Execution
from flownb.server.clock import Clock
from flownb.server.observing.logs import about
from flownb.server.pruning import Pruning
from flownb.store import checkpoints
from flownb.store.checkpoints import StepCheckpoint
from flownb.store.snapshots import AnySnapshots
from flownb.store.store import Change, Store
from flownb.store.writer import StoreError


class Retention:
    """One task that removes what is needed no more; ``seconds`` after its end an execution needs no snapshots."""

    def __init__(
        self,
        store: Store,
        snapshots: AnySnapshots,
        clock: Clock,
        seconds: float,
        pruning: Pruning,
        log: logging.Logger | logging.LoggerAdapter[Any],
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._clock = clock
        self._span = round(seconds * 1000)
        self._pruning = pruning
        self._log = log
        self._ended: deque[tuple[int, str]] = deque()  # when, and which execution; in that order
        self._some = asyncio.Event()

    def hear(self, change: Change) -> None:
        """A listener of the store."""
        after = change.after
        if after.status.final and (change.before is None or not change.before.status.final):
            self._ended.append((change.at, after.id))
            self._some.set()

    async def run(self) -> None:
        """Run until cancelled."""
        await self._learn()
        while True:
            self._some.clear()
            while self._ended and self._ended[0][0] + self._span <= self._clock.now():
                await self._drop(self._ended.popleft()[1])
            due = [await self._pruning.prune(), self._ended[0][0] + self._span if self._ended else None]
            await self._clock.sleep(min((at for at in due if at is not None), default=None), self._some)

    async def _learn(self) -> None:
        """What has ended before this server began."""
        try:
            self._ended.extendleft(reversed(await self._store.read(checkpoints.kept_after_their_end)))
        except StoreError as error:
            self._log.error("flownb: snapshots of executions that are over stay until the next start: %s", error)

    async def _drop(self, execution_id: str) -> None:
        try:
            await self._store.drop_checkpoints(execution_id, "its snapshots were kept for a time and are gone")
            await asyncio.to_thread(self._snapshots.remove, execution_id)
        except (StoreError, OSError) as error:
            self._log.error(
                "flownb: the snapshots of %s are not removed: %s", execution_id, error, extra=about(execution_id)
            )

    async def superseded(self, execution: Execution) -> StepCheckpoint | None:
        """The checkpoint of the step in hand which the next one takes the place of.

        It is that of an earlier run, in a replay also one that a person repaired.
        """
        step = execution.step
        if step is None or (step.runs == 1 and execution.replay_of is None):
            return None
        return await self._store.read(partial(checkpoints.of_step, execution_id=execution.id, step=step.name))

    async def forget(self, execution_id: str, superseded: StepCheckpoint, *, saving: bool = False) -> None:
        """Remove a checkpoint that another has taken the place of, and the blobs that only it needed.

        Where a kernel may be ``saving``, it may just have found one of those: they stay until the next start, or until
        the execution's snapshots go.
        """
        of_one = partial(checkpoints.names_used_by, executions=[execution_id])
        used = (await self._store.read(of_one))[execution_id]
        file = superseded.checkpoint.file
        if file is None or file in used:
            return
        faults.point("checkpoint.forget")
        blobs = [] if saving else [name for name in superseded.blobs if name not in used]
        await asyncio.to_thread(self._snapshots.forget, execution_id, file, blobs)
