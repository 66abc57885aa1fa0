"""Decides what runs when: admits executions to slots and fires timers. It sleeps until the next thing is due."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

from flownb import faults
from flownb.core import events
from flownb.core.model import Error, Execution, Status
from flownb.core.transitions import NotNow, due_at
from flownb.server.clock import Clock
from flownb.server.observing.logs import about
from flownb.store import queries
from flownb.store.queue import Turn
from flownb.store.store import Change, NotFound, Store
from flownb.store.writer import Fenced, StoreError

AT_ONCE = 10_000
"""Timers fired between two looks at the queue, so that a flood of either does not starve the other.

To note that a timer has fired takes a hundredth of the time that it takes to go on: it comes first.
"""

TOGETHER = 100
"""Timers in one order to the store."""


class Scheduler:
    """The one task that keeps executions going, and the owner of the tasks that run them.

    What it should be doing is worked out from the store each time it wakes, so starting and recovering are one path.
    """

    def __init__(
        self,
        store: Store,
        run: Callable[[Execution], Coroutine[Any, Any, None]],
        clock: Clock,
        max_running: int,
        log: logging.Logger | logging.LoggerAdapter[Any],
        fires: bool = True,
    ) -> None:
        """``fires``: whether this server fires timers, of which one does for all that share the store."""
        self._fires = fires
        self._store = store
        self._run = run
        self._clock = clock
        self._max_running = max_running
        self._log = log
        self._woken = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._workflows: dict[str, str] = {}  # of those that run
        self._turn = Turn()
        self._next_due: int | None = None
        self.draining = False

    @property
    def busy(self) -> bool:
        """Whether anything runs or waits for its time."""
        return bool(self._running) or self._next_due is not None

    @property
    def running(self) -> int:
        """Executions that hold a slot."""
        return len(self._running)

    def drain(self, on: bool) -> None:
        """Admit nothing more, or admit again; what runs goes on to its next pause."""
        self.draining = on
        self._woken.set()

    def lead(self) -> None:
        """Fire timers from now on."""
        self._fires = True
        self._next_due = 0
        self._woken.set()

    async def wind_down(self, seconds: float) -> int:
        """Admit nothing more, and give what runs so long to end; returns how many still run."""
        self.drain(True)
        if self._running:
            await asyncio.wait(self._running.values(), timeout=seconds)
        return len(self._running)

    async def recover(self) -> None:
        """Take over what a server before this one left running; due timers fire before any link is answered."""
        await self._store.take_over()
        faults.point("start.lost")
        while self._fires and await self._fire_due(self._clock.now()):
            pass

    async def run(self) -> None:
        """Run until cancelled; raises ``Fenced`` where another server has taken over."""
        stop_listening = self._store.listen(self._changed, everywhere=True)
        self._next_due = 0  # not known: there may have been changes that nobody heard of
        try:
            while True:
                now, woken = self._clock.now(), self._woken.is_set()
                self._woken.clear()
                try:
                    # A change that wakes this loop says what it is about; the store is asked for timers when it slept.
                    if self._fires and (not woken or self._is_due(now)):
                        await self._fire_due(now)
                    until = _earlier(await self._admit(), self._next_due if self._fires else None)
                except Fenced:
                    raise
                except StoreError as error:
                    self._log.error("flownb: the scheduler waits for the store: %s", error)
                    self._next_due = now
                    until = now + 1_000
                await self._clock.sleep(until, self._woken)
        finally:
            stop_listening()
            await self._stop()

    async def _stop(self) -> None:
        """Give back what runs: each task interrupts its cell, commits what it must, and ends its kernel."""
        faults.point("stop.begin")
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        faults.point("stop.released")

    def _changed(self, change: Change) -> None:
        """Hear of a committed change; only what concerns the queue, a slot or the next timer wakes the loop."""
        status, due = change.after.status, due_at(change.after)
        if status is Status.CANCELLED and change.after.id in self._running:
            self._running[change.after.id].cancel()
        if due is not None and due != self._next_due and due == _earlier(due, self._next_due):
            self._next_due = due
            self._woken.set()
        if status is Status.QUEUED:
            self._woken.set()

    def _is_due(self, now: int) -> bool:
        return self._next_due is not None and self._next_due <= now

    async def _fire_due(self, now: int) -> bool:
        """Fire what is due, and find out what comes next; whether more may be due.

        What cannot be fired is tried again with the next timers. Raises ``StoreError`` where that is true of all.
        """
        due = await self._store.read(partial(queries.due, now=now, most=AT_ONCE))
        if due:
            faults.point("timer.fire")
        failed = await self._fire(due)
        if due and len(failed) == len(due):
            for error in failed.values():
                if isinstance(error, StoreError):
                    raise error
        for execution, error in failed.items():
            self._log.error(
                "flownb: the timer of execution %s did not fire: %r", execution, error, extra=about(execution)
            )
        more = len(due) == AT_ONCE > len(failed)
        self._next_due = now if more else None
        if not more:  # what changes meanwhile is heard of
            self._next_due = _earlier(await self._store.read(partial(queries.next_due, after=now)), self._next_due)
        return more

    async def _fire(self, due: list[str]) -> dict[str, Exception]:
        """Two orders at a time: the store has one to go on with, and who asks for something else waits for no more."""
        orders = iter([due[place : place + TOGETHER] for place in range(0, len(due), TOGETHER)])
        failed: dict[str, Exception] = {}

        async def hand_in() -> None:
            for order in orders:
                failed.update(await self._store.wake(order))

        await asyncio.gather(hand_in(), hand_in())
        return failed

    async def _admit(self) -> int | None:
        """Give free slots away; returns when one may be given that a limit on starts keeps back now."""
        free = 0 if self.draining else self._max_running - len(self._running)
        if free <= 0:
            return None
        admitted, next_at = await self._store.admit(free, self._turn, dict(self._workflows))
        for execution in admitted:
            self._start(execution)
        return next_at

    def _start(self, admitted: Execution) -> None:
        task = asyncio.create_task(self._supervised(admitted), name=f"flownb {admitted.id}")
        self._running[admitted.id] = task
        self._workflows[admitted.id] = admitted.workflow
        task.add_done_callback(partial(self._ended, admitted.id))

    async def _supervised(self, admitted: Execution) -> None:
        """Run an execution; an error of our own fails its step rather than leave it running for ever."""
        try:
            await self._run(admitted)
        except Fenced:
            self._log.warning("flownb: execution %s is another server's now", admitted.id, extra=about(admitted))
        except Exception as error:
            self._log.exception("flownb: running execution %s went wrong", admitted.id, extra=about(admitted))
            failure = Error("InternalError", f"flownb failed to run the step: {error!r}")
            with suppress(NotNow, NotFound, StoreError):
                await self._store.apply(admitted.id, events.StepFailed(failure, final=True))

    def _ended(self, execution: str, task: asyncio.Task[None]) -> None:
        del self._running[execution], self._workflows[execution]
        self._woken.set()


def _earlier(one: int | None, other: int | None) -> int | None:
    """Of two points in time, of which there may be none, the earlier."""
    return min(one, other) if one is not None and other is not None else other if one is None else one
