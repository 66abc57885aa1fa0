"""Starts workflows at their times: one task that sleeps until the next of them is due."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from functools import partial
from typing import Any

from flownb.core.deployment import Start
from flownb.core.durations import SECOND
from flownb.core.errors import InvalidValue
from flownb.core.model import Execution, Json
from flownb.core.schedules import TYPE, event
from flownb.server.clock import Clock
from flownb.server.deployments import Deployments
from flownb.store import schedules
from flownb.store.schedules import Scheduled
from flownb.store.store import Store
from flownb.store.writer import Fenced, StoreError

TOGETHER = 100
"""Schedules in one order to the store."""

AGAIN = 10 * SECOND
"""After so long a schedule is tried again that could not be carried out."""


class Schedules:
    """What is due is worked out from the store each time this wakes, so a restart goes on where it broke off."""

    def __init__(
        self,
        store: Store,
        deployments: Deployments,
        clock: Clock,
        log: logging.Logger | logging.LoggerAdapter[Any],
    ) -> None:
        self._store = store
        self._deployments = deployments
        self._clock = clock
        self._log = log
        self._woken = asyncio.Event()
        self._next_due: int | None = 0  # not known yet
        self._seen = 0

    @property
    def busy(self) -> bool:
        """Whether anything is to start by itself, now or later."""
        return self._next_due is not None

    async def run(self) -> None:
        """Run until cancelled; raises ``Fenced`` where another server has taken over."""
        stop_listening = self._deployments.listen(lambda name: self._woken.set())
        try:
            while True:
                now = self._clock.now()
                self._woken.clear()
                try:
                    until = await self._look(now)
                except Fenced:
                    raise
                except StoreError as error:
                    self._log.error("flownb: schedules wait for the store: %s", error)
                    until = now + SECOND
                await self._clock.sleep(until, self._woken)
        finally:
            stop_listening()

    async def run_now(self, name: str, body: Json, by: str | None) -> Execution:
        """Start a workflow as its first schedule does. Raises ``NoSuchWorkflow``, ``QueueFull`` or ``InvalidValue``."""
        said = self._deployments.get(name).workflow.settings.schedules
        if not said:
            raise InvalidValue(f"workflow {name!r} has no schedule: start it by `POST executions`")
        told = event(said[0], self._clock.now(), manual=True, body=body)
        execution, _ = await self._store.start(Start(name, {"type": TYPE, "event": told, "by": by}, limited=True))
        return execution

    async def of(self, workflow: str) -> list[Scheduled]:
        """How the schedules of a workflow stand, in the order of its settings."""
        return await self._store.read(partial(schedules.of_workflow, workflow=workflow))

    async def all(self) -> defaultdict[str, list[Scheduled]]:
        """How all schedules stand, by workflow."""
        found: defaultdict[str, list[Scheduled]] = defaultdict(list)
        for one in await self._store.read(schedules.every):
            found[one.workflow].append(one)
        return found

    async def _look(self, now: int) -> int | None:
        """Start what is due; returns when to look again."""
        if self._seen == 0 or now < self._seen:
            await self._bring_up(now)
        self._seen = now
        due = await self._store.read(partial(schedules.due, now=now))
        failed = False
        for place in range(0, len(due), TOGETHER):
            failed |= await self._fire(due[place : place + TOGETHER], now)
        self._next_due = await self._store.read(schedules.next_due)
        return now + AGAIN if failed else self._next_due

    async def _bring_up(self, now: int) -> None:
        """At the start, and where the clock was put back: no schedule is to wait for a time that is far off now."""
        deployed = [(one.deployment.name, one.workflow.settings.schedules) for one in self._deployments]
        jobs = [partial(schedules.bring_up, workflow=name, said=said, now=now) for name, said in deployed]
        for error in await self._store.carry_out(jobs):
            if error is not None:
                raise error

    async def _fire(self, due: list[tuple[str, int]], now: int) -> bool:
        """Whether anything went wrong; what did is due still."""
        jobs = [partial(schedules.fire, workflow=w, place=p, now=now, begin=self._store.begin) for w, p in due]
        errors = await self._store.carry_out(jobs)
        for (workflow, place), error in zip(due, errors, strict=True):
            if isinstance(error, StoreError):
                raise error
            if error is not None:
                self._log.error("flownb: schedule %d of workflow %s was not carried out: %r", place, workflow, error)
        return any(errors)
