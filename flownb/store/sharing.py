"""A store that several servers share, as one of them sees it: who is there, and what the others do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from flownb.store import queries, servers
from flownb.store.change import Change
from flownb.store.elsewhere import Elsewhere
from flownb.store.engine import Engine
from flownb.store.membership import Members, Membership
from flownb.store.reader import Reader
from flownb.store.writer import StoreError, Writer


class Sharing:
    """Joins, follows and leaves; a store that is one server's own has nobody to follow."""

    def __init__(self, engine: Engine, writer: Writer, reader: Reader) -> None:
        self._engine = engine
        self._writer = writer
        self._reader = reader
        self._elsewhere = Elsewhere(0)
        self._membership: Membership | None = None

    @property
    def shared(self) -> bool:
        """Whether there may be other servers."""
        return self._engine.lease is not None

    async def join(
        self, changed: Callable[[Members], None], heard: Callable[[], None], lost: Callable[[], None]
    ) -> None:
        """Begin to beat; what there is to tell is told in a thread. Raises ``StoreError``."""
        assert self._engine.lease is not None
        self._elsewhere = Elsewhere(await self._reader.run(queries.last_change))
        own, lease = self._writer.server, self._engine.lease
        self._membership = Membership(self._engine.listening, own, lease, changed, heard, lost)
        self._membership.start()

    async def leave(self) -> None:
        """What still runs here is for the others, at once."""
        if self._membership is not None:
            self._membership.ends()
        if self.shared and self._writer.server:
            with suppress(StoreError):
                await self._writer.run(partial(servers.leave, server=self._writer.server))
        if self._membership is not None:
            await asyncio.to_thread(self._membership.join)

    def wrote(self, change: Change | None) -> None:
        """A change is this server's own, with what it has led to."""
        if self._membership is not None and change is not None:
            self._elsewhere.wrote(change.seq)
            for one in change.led_to:
                self.wrote(one)

    async def changes(self) -> tuple[list[Change], bool]:
        """What others have committed since the last time, and whether there may be more."""
        return await self._reader.run(self._elsewhere.read)
