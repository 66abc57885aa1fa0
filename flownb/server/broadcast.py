"""Tells everybody who listens of every change: the server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from flownb.core.model import Json
from flownb.core.times import iso
from flownb.store import queries
from flownb.store.store import Change, Store

PAGE = 500

HEARTBEAT = 10.0
"""Seconds of silence: proxies cut streams that are silent for long, and a client cannot tell one from a dead server."""


class Broadcast:
    """Listeners, each of which reads the journal at its own pace and is woken when there is more of it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listeners: set[asyncio.Event] = set()
        self._closed = False

    def hear(self, change: Change) -> None:
        """A listener of the store."""
        for woken in self._listeners:
            woken.set()

    async def events(self, after: int) -> AsyncGenerator[Json, None]:
        """Changes after a number in the journal: those that are there, then the others as they come.

        None now and then where nothing happens, so that a stream can show that it is alive.
        """
        seen = after
        with self._listener() as woken:
            while not self._closed:
                woken.clear()
                while page := await self._store.read(partial(queries.journal, after=seen, most=PAGE)):
                    for entry in page:
                        seen = entry["seq"]
                        yield {**entry, "at": iso(entry["at"])}
                with suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), HEARTBEAT)
                if not woken.is_set():
                    yield None

    @contextmanager
    def _listener(self) -> Iterator[asyncio.Event]:
        woken = asyncio.Event()
        self._listeners.add(woken)
        try:
            yield woken
        finally:
            self._listeners.discard(woken)

    def close(self) -> None:
        """End every stream."""
        self._closed = True
        for woken in self._listeners:
            woken.set()
