"""Callers of HTTP triggers who wait for what their event leads to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from flownb.core.errors import FlowNBError
from flownb.core.model import Execution
from flownb.core.responses import is_answered
from flownb.server.clock import Clock
from flownb.store.store import Change, Store

MOST = 1_000
"""So many callers wait at the same time; each holds a connection, of which a process has a limited number."""


class TooManyWait(FlowNBError):
    """As many callers wait as may."""

    reason = "too_many_wait"


class Stopping(FlowNBError):
    """This server stops, or has lost the data folder, while a caller waits; the event is on record."""

    reason = "stopping"


@dataclass(eq=False)
class Caller:
    """One who waits, with what there was last of their execution."""

    execution: Execution
    gone: bool = False
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def hang_up(self) -> None:
        """Nobody listens any more."""
        self.gone = True
        self.woken.set()


class Callers:
    """All who wait. What they wait for is heard of from the store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: dict[str, set[Caller]] = {}
        self._count = 0
        self._closed = False

    def demand_room(self) -> None:
        """Raises ``TooManyWait``: to be called before an event is taken."""
        if self._count >= MOST:
            raise TooManyWait(f"{MOST:,} callers wait for an answer already")

    def hear(self, change: Change) -> None:
        """A listener of the store."""
        for caller in self._waiting.get(change.after.id, ()):
            caller.execution = change.after
            if is_answered(change.after):
                caller.woken.set()

    async def wait(self, execution: Execution, span: int, listens: Callable[[Caller], None]) -> Caller:
        """The caller, once they can be told what came of it, have waited for ``span`` ms, or have hung up.

        ``listens`` is given who can hang up. Raises ``Stopping``, or ``NotFound`` where the execution was deleted.
        """
        caller = Caller(execution)
        listens(caller)
        self._waiting.setdefault(execution.id, set()).add(caller)
        self._count += 1
        try:
            # There may have been changes before there was anybody to hear of them; what was heard since is newer.
            found = await self._store.get(execution.id)
            if caller.execution is execution:
                caller.execution = found
            until = self._clock.now() + span
            while not (caller.gone or self._closed or is_answered(caller.execution) or self._clock.now() >= until):
                await self._clock.sleep(until, caller.woken)
        finally:
            self._count -= 1
            self._waiting[execution.id].discard(caller)
            if not self._waiting[execution.id]:
                del self._waiting[execution.id]
        if self._closed and not is_answered(caller.execution):
            raise Stopping("this server stops: the event is on record, and is not lost")
        return caller

    def close(self) -> None:
        """Whoever waits is told so."""
        self._closed = True
        for callers in self._waiting.values():
            for caller in callers:
                caller.woken.set()
