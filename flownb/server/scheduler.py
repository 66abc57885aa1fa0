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
from flownb.store import queries
from flownb.store.store import Change, NotFound, Store
from flownb.store.writer import Fenced, StoreError

AT_ONCE = 500
"""Timers fired between two looks at the queue, so that a flood of either does not starve the other."""


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
    ) -> None:
        self._store = store
        self._run = run
        self._clock = clock
        self._max_running = max_running
        self._log = log
        self._woken = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}
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

    async def recover(self) -> None:
        """Take over what a server before this one left running; due timers fire before any link is answered."""
        for execution in await self._store.read(partial(queries.with_status, status=Status.RUNNING)):
            await self._store.apply(execution, events.ServerLost())
        faults.point("start.lost")
        while await self._fire_due():
            pass

    async def run(self) -> None:
        """Run until cancelled; raises ``Fenced`` where another server has taken over."""
        stop_listening = self._store.listen(self._changed)
        try:
            while True:
                self._woken.clear()
                try:
                    fired = await self._fire_due()
                    await self._admit()
                    self._next_due = await self._store.read(queries.next_due)
                    until = self._clock.now() if fired == AT_ONCE else self._next_due
                except Fenced:
                    raise
                except StoreError as error:
                    self._log.error("flownb: the scheduler waits for the store: %s", error)
                    until = self._clock.now() + 1_000
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
        """Hear of a committed change; only what concerns the queue, a slot or a timer wakes the loop."""
        status = change.after.status
        if status is Status.CANCELLED and change.after.id in self._running:
            self._running[change.after.id].cancel()
        if status is Status.QUEUED or (change.before is not None and due_at(change.before) != due_at(change.after)):
            self._woken.set()

    async def _fire_due(self) -> int:
        due = await self._store.read(partial(queries.due, now=self._clock.now(), most=AT_ONCE))
        if due:
            faults.point("timer.fire")
        await asyncio.gather(*(self._fire(execution) for execution in due))  # committed together
        return len(due)

    async def _fire(self, execution: str) -> None:
        """End a pause, or remind people of it: the rules know what it is time for."""
        for event in (events.TimerFired(), events.ReminderDue()):
            with suppress(NotNow, NotFound):
                await self._store.apply(execution, event)
                return

    async def _admit(self) -> None:
        free = 0 if self.draining else self._max_running - len(self._running)
        if free <= 0:
            return
        for execution in await self._store.read(partial(queries.queued, most=self._max_running)):
            if free and execution not in self._running:
                free -= 1
                await self._start(execution)

    async def _start(self, execution: str) -> None:
        with suppress(NotNow, NotFound):
            admitted = await self._store.apply(execution, events.Admitted())
            task = asyncio.create_task(self._supervised(admitted), name=f"flownb {execution}")
            self._running[execution] = task
            task.add_done_callback(partial(self._ended, execution))

    async def _supervised(self, admitted: Execution) -> None:
        """Run an execution; an error of our own fails its step rather than leave it running for ever."""
        try:
            await self._run(admitted)
        except Fenced:
            self._log.warning("flownb: execution %s is another server's now", admitted.id)
        except Exception as error:
            self._log.exception("flownb: running execution %s went wrong", admitted.id)
            failure = Error("InternalError", f"flownb failed to run the step: {error!r}")
            with suppress(NotNow, NotFound, StoreError):
                await self._store.apply(admitted.id, events.StepFailed(failure, final=True))

    def _ended(self, execution: str, task: asyncio.Task[None]) -> None:
        del self._running[execution]
        self._woken.set()
