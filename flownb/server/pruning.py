"""Removes executions that are kept no longer, in small batches so that nothing else has to wait."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from functools import partial
from typing import Any

from flownb.core.durations import DAY
from flownb.core.transitions import NotNow
from flownb.server.clock import Clock
from flownb.store import prunable
from flownb.store.change import NotFound
from flownb.store.prunable import Keep
from flownb.store.snapshots import AnySnapshots
from flownb.store.store import Store
from flownb.store.writer import StoreError

BATCH = 50


class Pruning:
    """What is over goes when the settings say so; the bill stays, and so does the executed notebook."""

    def __init__(
        self,
        store: Store,
        snapshots: AnySnapshots,
        clock: Clock,
        keep: Keep,
        log: logging.Logger | logging.LoggerAdapter[Any],
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._clock = clock
        self._keep = keep
        self._log = log

    async def prune(self) -> int | None:
        """Remove all that may go now; returns when there may be more, None where only another end can tell."""
        if self._keep == Keep():
            return None
        try:
            while found := await self._store.read(
                partial(prunable.prunable, keep=self._keep, now=self._clock.now(), most=BATCH)
            ):
                for one in found:
                    await self._remove(one.execution)
            first = await self._store.read(prunable.next_end)
        except (StoreError, OSError) as error:
            self._log.error("flownb: executions that are kept no longer stay until the next one ends: %s", error)
            return None
        return first + round(self._keep.days * DAY) if first is not None and self._keep.days else None

    async def _remove(self, execution_id: str) -> None:
        with suppress(NotFound, NotNow):
            await self._store.delete(execution_id)
        await asyncio.to_thread(self._snapshots.remove, execution_id)
