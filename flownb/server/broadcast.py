"""Tells everybody who listens of every change: the server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from functools import partial

from flownb.core.model import Json
from flownb.core.times import iso
from flownb.store import queries
from flownb.store.store import Change, Store

MOST_WAITING = 1_000
"""A listener that is so many changes behind is let go; it comes back with the number of the last one it had."""

PAGE = 500

HEARTBEAT = 10.0
"""Seconds of silence: proxies cut streams that are silent for long, and a client cannot tell one from a dead server."""


class Broadcast:
    """Queues of changes, one a listener."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queues: set[asyncio.Queue[Json]] = set()

    def hear(self, change: Change) -> None:
        """A listener of the store."""
        if not self._queues:
            return
        step = change.before.step if change.before is not None else None
        entry = {
            "seq": change.seq,
            "execution": change.after.id,
            "workflow": change.after.workflow,
            "event": change.event,
            "status": change.after.status,
            "step": step.name if step is not None else None,
            "run": step.runs if step is not None else None,
            "at": iso(change.at),
        }
        for waiting in tuple(self._queues):
            behind = waiting.qsize() >= MOST_WAITING
            waiting.put_nowait(None if behind else entry)
            if behind:
                self._queues.discard(waiting)

    async def events(self, after: int) -> AsyncGenerator[Json, None]:
        """Changes after a number in the journal: those that are there, then the others as they come.

        None now and then where nothing happens, so that a stream can show that it is alive.
        """
        with self._queue() as waiting:
            seen = after
            while page := await self._store.read(partial(queries.journal, after=seen, most=PAGE)):
                for entry in page:
                    seen = entry["seq"]
                    yield {**entry, "at": iso(entry["at"])}
            while True:
                try:
                    change = await asyncio.wait_for(waiting.get(), HEARTBEAT)
                except TimeoutError:
                    yield None
                    continue
                if change is None:
                    return
                if change["seq"] > seen:
                    yield change

    @contextmanager
    def _queue(self) -> Iterator[asyncio.Queue[Json]]:
        waiting: asyncio.Queue[Json] = asyncio.Queue()
        self._queues.add(waiting)
        try:
            yield waiting
        finally:
            self._queues.discard(waiting)

    def close(self) -> None:
        """End every stream."""
        for waiting in tuple(self._queues):
            waiting.put_nowait(None)
