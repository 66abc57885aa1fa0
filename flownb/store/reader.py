"""Reading beside the writer: connections of their own, which can change nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from flownb.store.engine import ERRORS, Connection, Database, Engine
from flownb.store.writer import StoreError

T = TypeVar("T")


class Reader:
    """A few threads, each with a read-only connection."""

    def __init__(self, engine: Engine, threads: int = 2) -> None:
        self._engine = engine
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="flownb-reader")
        self._mine = threading.local()
        self._open: list[Connection] = []

    async def run(self, job: Callable[[Database], T]) -> T:
        """What ``job`` reads, in one snapshot of the database; raises ``StoreError``."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, job)

    def _read(self, job: Callable[[Database], T]) -> T:
        try:
            db = getattr(self._mine, "db", None) or self._connect()
            db.begin_reading()
            try:
                return job(db)
            finally:
                db.rollback()
        except ERRORS as error:
            raise StoreError(f"the database cannot be read: {error}") from None

    def _connect(self) -> Connection:
        # Closed by whoever closes the reader, after the threads have ended.
        self._mine.db = self._engine.reading()
        self._open.append(self._mine.db)
        return self._mine.db  # type: ignore[no-any-return]

    async def close(self) -> None:
        await asyncio.to_thread(self._pool.shutdown)
        while self._open:
            self._open.pop().close()
