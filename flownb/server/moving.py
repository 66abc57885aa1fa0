"""Executions that leave this machine, and those that come."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from flownb.core.events import Arrived, Moved
from flownb.core.model import Execution
from flownb.core.times import iso
from flownb.core.transitions import NotNow
from flownb.server.clock import Clock
from flownb.store import arrival, checkpoints, journal, sql
from flownb.store.change import Change, NotFound
from flownb.store.engine import Database
from flownb.store.keys import Key
from flownb.store.packing import CannotExport, CannotImport, Packed, pack
from flownb.store.snapshots import AnySnapshots
from flownb.store.store import Store


class Moves:
    """Packs executions, takes them in, and marks those that have gone."""

    def __init__(self, store: Store, snapshots: AnySnapshots, aside: Path, key: Key, clock: Clock, origin: str) -> None:
        """``aside`` is the folder for what is packed."""
        self._store = store
        self._snapshots = snapshots
        self._aside = aside
        self._key = key
        self._clock = clock
        self._origin = origin

    @asynccontextmanager
    async def exported(self, execution_id: str) -> AsyncIterator[Path]:
        """The execution as a file, for as long as the block lasts; raises as ``pack``."""
        names_used = partial(checkpoints.names_used_by, executions=[execution_id])
        used = (await self._store.read(names_used))[execution_id]
        async with AsyncExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(dir=self._aside, prefix="export-"))
            reading = self._snapshots.reading(execution_id, used)
            files = await asyncio.to_thread(reading.__enter__)
            stack.push_async_callback(asyncio.to_thread, reading.__exit__, None, None, None)
            path = Path(folder) / f"{execution_id}.flownb"
            packing = partial(pack, origin=self._origin, at=iso(self._clock.now()), path=path)
            await self._store.read(partial(packing, folder=files, execution_id=execution_id))
            if (await self._store.read(names_used))[execution_id] != used:
                raise CannotExport(f"execution {execution_id} has gone on meanwhile: export it again")
            yield path

    async def take_in(self, path: Path) -> Execution:
        """The execution in a file; raises ``CannotImport``, ``AlreadyHere``, ``StoreError`` or ``OSError``."""
        packed = await asyncio.to_thread(Packed, path)
        try:
            try:
                known = await self._store.get(packed.execution)
            except NotFound:
                known = None
            if known is not None and known.moved_to is None:
                raise arrival.AlreadyHere(f"execution {packed.execution} is here already")
            await asyncio.to_thread(self._unpack, packed)
            try:
                return await self._carry_out(packed.execution, partial(self._put_down, packed=packed))
            except BaseException:
                await asyncio.to_thread(self._snapshots.remove, packed.execution)
                raise
        finally:
            packed.close()

    def _unpack(self, packed: Packed) -> None:
        self._snapshots.remove(packed.execution)
        with self._snapshots.filling(packed.execution) as folder:
            packed.unpack(folder)

    def _put_down(self, db: Database, packed: Packed) -> list[Change]:
        arrival.put_down(db, self._key, packed)
        try:
            return [self._store.transition(db, packed.execution, Arrived(str(packed.manifest.get("origin"))))]
        except NotNow as error:
            raise CannotImport(str(error)) from None

    async def moved(self, execution_id: str, to: str | None, head: str | None) -> Execution:
        """Mark an execution as gone, unless its record has changed since ``head`` was its latest entry.

        Raises ``NotFound``, ``NotNow`` or ``StoreError``.
        """

        def job(db: Database) -> list[Change]:
            latest = journal.latest(db, execution_id)
            if head is not None and head != f"{latest.seq}:{latest.mac}":
                raise NotNow(f"execution {execution_id} has changed since it was exported: export it again")
            if sql.first_row(db, "SELECT 1 FROM waits WHERE execution = ? AND kind = 'workflow'", execution_id):
                raise NotNow(f"execution {execution_id} waits for another workflow: move it when that has ended")
            return [self._store.transition(db, execution_id, Moved(to))]

        return await self._carry_out(execution_id, job)

    async def _carry_out(self, execution_id: str, job: Callable[[Database], list[Change]]) -> Execution:
        [error] = await self._store.carry_out([job])
        if error is not None:
            raise error
        return await self._store.get(execution_id)
