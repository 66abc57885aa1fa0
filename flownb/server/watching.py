"""Starts workflows when files come into folders: the system says that something has changed, a look says what."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from watchfiles import awatch

from flownb.core.durations import SECOND
from flownb.core.errors import InvalidValue
from flownb.core.files import Stamp
from flownb.server.clock import Clock
from flownb.server.deployments import Deployments
from flownb.server.folders import File, Look, Place, digest, look
from flownb.server.notebooks import Notebooks
from flownb.store import files
from flownb.store.files import Key
from flownb.store.store import Store
from flownb.store.writer import Fenced, StoreError

SETTLED = SECOND
"""A file that has not changed for so long is complete."""

AGAIN = 10 * SECOND
"""After so long a file is tried again that could not start anything."""

TOGETHER = 100
"""Files in one order to the store."""


class Watching:
    """What is new is worked out from the folders and the store at each look, so a restart finds what came meanwhile."""

    def __init__(
        self,
        store: Store,
        deployments: Deployments,
        notebooks: Notebooks,
        clock: Clock,
        log: logging.Logger | logging.LoggerAdapter[Any],
    ) -> None:
        self._store = store
        self._deployments = deployments
        self._notebooks = notebooks
        self._clock = clock
        self._log = log
        self._known: dict[Key, tuple[Stamp, bool]] = {}

    @property
    def busy(self) -> bool:
        """Whether a file may come that starts something."""
        return any(one.workflow.settings.watches for one in self._deployments)

    async def run(self) -> None:
        """Run until cancelled; raises ``Fenced`` where another server has taken over."""
        self._known = await self._store.read(files.known)
        deployed = asyncio.Event()
        stop_listening = self._deployments.listen(lambda name: deployed.set())
        try:
            while True:
                deployed.clear()
                places = await asyncio.to_thread(self._places)
                await _until(deployed, self._follow(places) if places else deployed.wait())
        finally:
            stop_listening()

    def _places(self) -> list[Place]:
        """All folders to watch, which are made where they are missing."""
        found = []
        for deployed in self._deployments:
            for watch in deployed.workflow.settings.watches:
                try:
                    folder = self._notebooks.folder(deployed.deployment.notebook, watch.folder)
                    folder.mkdir(parents=True, exist_ok=True)
                    found.append(Place(deployed.deployment.name, folder, watch))
                except (OSError, InvalidValue) as error:
                    self._log.error("flownb: workflow %s cannot watch: %s", deployed.deployment.name, error)
        return found

    async def _follow(self, places: list[Place]) -> None:
        """Look at the folders, at once and when something has changed in them, until one of them is gone."""
        changed = asyncio.Event()
        noticing = asyncio.create_task(self._notice({place.folder for place in places}, changed))
        before: dict[Key, File] = {}
        try:
            await asyncio.sleep(0)  # what comes from now on is noticed
            while True:
                changed.clear()
                seen = await asyncio.to_thread(look, places, self._known)
                until = await self._act(seen, before)
                if seen.lost:
                    return
                before = seen.found
                if until is None:
                    await changed.wait()
                else:
                    await self._clock.sleep(self._clock.now() + until, asyncio.Event())
        finally:
            noticing.cancel()
            await asyncio.wait([noticing])

    async def _notice(self, folders: Collection[Path], changed: asyncio.Event) -> None:
        """Set ``changed`` whenever anything happens in the folders; where the system does not say, now and then."""
        try:
            async for _ in awatch(*folders, watch_filter=None, debounce=500, recursive=False):
                changed.set()
        except (OSError, RuntimeError) as error:
            self._log.error("flownb: folders are looked at twice a minute, for the system tells no changes: %s", error)
        while True:
            await self._clock.sleep(None, asyncio.Event())
            changed.set()

    async def _act(self, seen: Look, before: dict[Key, File]) -> int | None:
        """Start what is complete and new; returns after how many ms to look again, None for when something changes."""
        try:
            await self._mark(seen)
            new = [key for key, file in seen.found.items() if self._is_new(key, file)]
            complete = [key for key in new if before.get(key) == seen.found[key]]
            complete.sort(key=lambda key: (seen.found[key].stamp.modified_ns, key))
            refused = False
            for place in range(0, len(complete), TOGETHER):
                refused |= await self._start({key: seen.found[key] for key in complete[place : place + TOGETHER]})
        except Fenced:
            raise
        except StoreError as error:
            self._log.error("flownb: watched folders wait for the store: %s", error)
            return SETTLED
        return SETTLED if len(complete) < len(new) else AGAIN if refused else None

    def _is_new(self, key: Key, file: File) -> bool:
        return key not in self._known or self._known[key][0] != file.stamp

    async def _start(self, complete: dict[Key, File]) -> bool:
        """Whether any of the files is to be tried again."""
        digests = await asyncio.to_thread(lambda: {key: digest(file.file) for key, file in complete.items()})
        named = {key: found for key, found in digests.items() if found is not None}
        jobs = [
            partial(files.take, key=key, stamp=complete[key].stamp, digest=found, begin=self._store.begin)
            for key, found in named.items()
        ]
        errors = await self._store.carry_out(jobs)
        for key, error in zip(named, errors, strict=True):
            if isinstance(error, StoreError):
                raise error
            if error is None:
                self._known[key] = (complete[key].stamp, False)
            else:
                self._log.warning("flownb: file %s starts nothing yet: %s", key[1], error)
        return any(errors)

    async def _mark(self, seen: Look) -> None:
        """Files that are gone, where others may come in their place, and those that are back."""
        if not seen.gone and not seen.back:
            return
        (error,) = await self._store.carry_out(
            [partial(files.mark, gone=seen.gone, back=seen.back, now=self._clock.now())]
        )
        if error is not None:
            raise error
        for keys, gone in ((seen.gone, True), (seen.back, False)):
            self._known.update({key: (self._known[key][0], gone) for key in keys})


async def _until(event: asyncio.Event, work: Coroutine[Any, Any, Any]) -> None:
    """Do something until an event; raises what it raised."""
    working, waiting = asyncio.create_task(work), asyncio.create_task(event.wait())
    try:
        await asyncio.wait([working, waiting], return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        working.cancel()
        for ended in await asyncio.gather(working, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended
