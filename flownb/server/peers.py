"""This server among those that share its store: it hears what they do, and takes over from those that are gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from flownb.core.durations import SECOND
from flownb.server.clock import Clock
from flownb.store.membership import Members
from flownb.store.store import Store
from flownb.store.writer import Fenced, StoreError


class Peers:
    """One task that follows the others; where there are none it has nothing to do, and this server leads at once.

    Who leads fires timers, starts schedules, watches folders and sends mail. A server leads until it is taken off the
    list, and then commits nothing more: two may believe that they lead, one of them in vain.
    """

    def __init__(
        self, store: Store, clock: Clock, lost: Callable[[], None], log: logging.Logger | logging.LoggerAdapter[Any]
    ) -> None:
        self._store = store
        self._clock = clock
        self._lost = lost
        self._log = log
        self._leads = asyncio.Event()
        self._some = asyncio.Event()
        self._expecting: list[Callable[[], None]] = []
        self._listeners: list[Callable[[], Awaitable[None]]] = []

    @property
    def leads(self) -> bool:
        """Whether this server does what only one is to do."""
        return self._leads.is_set()

    async def join(self) -> None:
        """Begin to be heard of, and to hear."""
        if not self._store.sharing.shared:
            self._leads.set()
            return
        loop = asyncio.get_running_loop()

        def soon(act: Callable[..., None], *said: Members) -> None:
            loop.call_soon_threadsafe(act, *said)

        await self._store.sharing.join(
            partial(soon, self._changed), partial(soon, self._some.set), partial(soon, self._lost)
        )

    def once_leading(self, act: Callable[[], None]) -> None:
        """Call ``act`` when this server begins to lead, unless it leads already."""
        if not self.leads:
            self._expecting.append(act)

    def listen(self, listener: Callable[[], Awaitable[None]]) -> None:
        """Have ``listener`` awaited whenever others have, or may have, committed something."""
        self._listeners.append(listener)

    def _changed(self, members: Members) -> None:
        if members.leads and not self.leads:
            self._log.info("flownb: of the servers on this store, this one leads")
            self._leads.set()
            while self._expecting:
                self._expecting.pop()()
        self._some.set()

    async def when_leading(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do ``work`` from the moment on at which this server leads."""
        await self._leads.wait()
        await work()

    async def run(self) -> None:
        """Run until cancelled; raises ``Fenced`` where another server has taken over."""
        while self._store.sharing.shared:
            until: int | None = None
            self._some.clear()
            try:
                for execution in await self._store.take_over():
                    self._log.warning("flownb: execution %s is taken over from a server that is gone", execution)
                await self._store.catch_up()
                for listener in self._listeners:
                    await listener()
            except Fenced:
                raise
            except StoreError as error:
                self._log.error("flownb: what other servers do is not heard: %s", error)
                until = self._clock.now() + SECOND
            await self._clock.sleep(until, self._some)
        await asyncio.Event().wait()
