"""The one thread that writes: it owns its connection, and what waits together is committed together."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlite_utils import Database

from flownb import faults
from flownb.core.errors import FlowNBError
from flownb.store.schema import migrations

T = TypeVar("T")

MOST_TOGETHER = 200
"""So many jobs share one commit at most, which bounds how long the first of them waits."""


class StoreError(FlowNBError):
    """The database could not take a change; nothing of it was kept."""

    reason = "store_failed"


class Fenced(StoreError):
    """Another server has taken over the data folder: this one may commit nothing more."""

    reason = "fenced"


@dataclass
class _Job:
    run: Callable[[Database], Any]
    done: asyncio.Future[Any]
    then: Callable[[Any], None]
    result: Any = None
    error: Exception | None = field(default=None)


class Writer:
    """A thread with a connection and a queue.

    Each job runs in a savepoint, several jobs in one ``BEGIN IMMEDIATE`` transaction; a job is told of its success
    only after the commit, which is on disk (``synchronous=FULL``). Every transaction checks the epoch.
    """

    def __init__(self, path: Path, journal_mode: str = "WAL") -> None:
        self._path = path
        self._journal_mode = journal_mode
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="flownb-writer", daemon=True)
        self._opened: asyncio.Future[None]
        self._loop: asyncio.AbstractEventLoop
        self._epoch = 0
        self._closed = False

    async def open(self) -> None:
        """Open the database, bring its schema up to date and begin a new epoch; raises ``StoreError``."""
        self._loop = asyncio.get_running_loop()
        self._opened = self._loop.create_future()
        self._thread.start()
        await self._opened

    async def run(self, job: Callable[[Database], T], then: Callable[[T], None] = lambda result: None) -> T:
        """The result of ``job``, once it is on disk.

        ``then`` is called with it on the event loop first, in the order of the commits, and also where the caller
        was cancelled meanwhile. Raises what the job raised, or ``StoreError``; in both cases nothing was changed.
        """
        if self._closed:
            raise StoreError("the database is closed")
        done: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(_Job(job, done, then))
        return await done

    async def close(self) -> None:
        """Finish what was handed in, then close. May be called again."""
        if not self._closed and self._thread.ident is not None:
            self._closed = True
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        try:
            db = open_database(self._path, self._journal_mode)
            self._epoch = _begin_epoch(db)
        except Exception as error:
            self._closed = True
            failed = StoreError(f"the database {self._path} cannot be opened: {error}")
            self._loop.call_soon_threadsafe(self._opened.set_exception, failed)
            return
        self._loop.call_soon_threadsafe(self._opened.set_result, None)
        with closing(db):
            while jobs := self._next():
                self._commit(db, jobs)
                for job in jobs:
                    self._loop.call_soon_threadsafe(_deliver, job)

    def _next(self) -> list[_Job]:
        """All jobs that wait, at least one; empty at the end."""
        first = self._jobs.get()
        jobs = [first] if first else []
        while jobs and len(jobs) < MOST_TOGETHER:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                self._jobs.put(None)
                break
            jobs.append(job)
        return jobs

    def _commit(self, db: Database, jobs: list[_Job]) -> None:
        try:
            db.execute("BEGIN IMMEDIATE")
            self._check_epoch(db)
        except Exception as error:
            db.conn.rollback()
            _refuse(jobs, error)
            return
        try:
            for job in jobs:
                _run(db, job)
            faults.point("commit.before")
            db.conn.commit()
            faults.point("commit.after")
        except Exception as error:
            db.conn.rollback()
            if len(jobs) == 1:
                _refuse(jobs, error)
                return
            for job in jobs:
                self._commit(db, [job])

    def _check_epoch(self, db: Database) -> None:
        if _epoch(db) != self._epoch:
            raise Fenced("another server has taken over this data folder")


def _run(db: Database, job: _Job) -> None:
    """One job in a savepoint: what it raises costs no other job; a failing database costs the transaction."""
    job.result = job.error = None
    db.execute("SAVEPOINT job")
    try:
        job.result = job.run(db)
    except sqlite3.Error:
        raise
    except Exception as error:
        db.execute("ROLLBACK TO job")
        job.error = error
    db.execute("RELEASE job")


def _refuse(jobs: list[_Job], error: Exception) -> None:
    failed = error if isinstance(error, StoreError) else StoreError(f"the database took no change: {error}")
    for job in jobs:
        job.error = failed


def _deliver(job: _Job) -> None:
    """Whoever waits goes on after ``then``, and also where that raises."""
    if not job.done.cancelled():
        if job.error is None:
            job.done.set_result(job.result)
        else:
            job.done.set_exception(job.error)
    if job.error is None:
        faults.point("commit.told")
        job.then(job.result)


def open_database(path: Path, journal_mode: str) -> Database:
    """A connection for writing, with the schema up to date; the file is for its owner alone."""
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=30)
    try:
        connection.execute(f"PRAGMA journal_mode = {'WAL' if journal_mode.upper() == 'WAL' else 'DELETE'}")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        db = Database(connection, execute_plugins=False)
        with _immediate(db):
            migrations.apply(db)
    except BaseException:
        connection.close()
        raise
    return db


@contextmanager
def _immediate(db: Database) -> Iterator[None]:
    """A transaction that reads and then writes; it waits for its turn, where a deferred one would fail."""
    db.execute("BEGIN IMMEDIATE")
    with db.conn:
        yield


def _begin_epoch(db: Database) -> int:
    """The number of the epoch that begins; a failure closes the connection."""
    try:
        with _immediate(db):
            epoch = _epoch(db) + 1
            db.table("meta").upsert({"name": "epoch", "value": str(epoch)}, pk="name")
    except BaseException:
        db.close()
        raise
    return epoch


def _epoch(db: Database) -> int:
    row = db.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone()
    return int(row[0]) if row else 0
