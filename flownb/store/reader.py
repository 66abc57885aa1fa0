"""Reading beside the writer: connections of their own, which can change nothing."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlite_utils import Database

from flownb.store.writer import StoreError

T = TypeVar("T")


class Reader:
    """A few threads, each with a read-only connection."""

    def __init__(self, path: Path, threads: int = 2) -> None:
        self._uri = f"{path.absolute().as_uri()}?mode=ro"
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="flownb-reader")
        self._mine = threading.local()
        self._open: list[Database] = []

    async def run(self, job: Callable[[Database], T]) -> T:
        """What ``job`` reads, in one snapshot of the database; raises ``StoreError``."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, job)

    def _read(self, job: Callable[[Database], T]) -> T:
        try:
            db = getattr(self._mine, "db", None) or self._connect()
            db.execute("BEGIN")
            try:
                return job(db)
            finally:
                db.conn.rollback()
        except sqlite3.Error as error:
            raise StoreError(f"the database cannot be read: {error}") from None

    def _connect(self) -> Database:
        # Closed by whoever closes the reader, after the threads have ended.
        connection = sqlite3.connect(self._uri, uri=True, timeout=30, check_same_thread=False)
        self._mine.db = Database(connection, execute_plugins=False)
        self._open.append(self._mine.db)
        return self._mine.db  # type: ignore[no-any-return]

    async def close(self) -> None:
        await asyncio.to_thread(self._pool.shutdown)
        while self._open:
            self._open.pop().close()
