"""The one thread that writes: it owns its connection, and what waits together is committed together."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeVar

from flownb import faults
from flownb.core.errors import FlowNBError
from flownb.store import servers
from flownb.store.engine import ERRORS, Connection, ConnectionLost, Database, Engine

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
    then: Callable[[Any], None]
    result: Any = None
    error: Exception | None = None


@dataclass
class _Order:
    """Jobs that were handed in together: they are one after the other, and told of together."""

    jobs: list[_Job]
    done: asyncio.Future[None]


class Writer:
    """A thread with a connection and a queue.

    Each job runs in a savepoint, several jobs in one transaction, besides which there is no other that writes; a job
    is told of its success only after the commit, which is on disk. Every transaction checks that this
    server is one of those at work.
    """

    def __init__(
        self,
        engine: Engine,
        committed: Callable[[float, int], None] = lambda seconds, jobs: None,
        key: str = "",
    ) -> None:
        """``committed`` hears of each transaction, in the writer's thread: its seconds and how many jobs shared it.

        ``key`` is the name of this server's key, which is that of all servers on one store.
        """
        self._engine = engine
        self._key = key
        self._committed = committed
        self._orders: queue.SimpleQueue[_Order | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="flownb-writer", daemon=True)
        self._opened: asyncio.Future[None]
        self._loop: asyncio.AbstractEventLoop
        self.server = 0
        self._closed = False

    async def open(self) -> None:
        """Open the database, bring its schema up to date and join; raises ``StoreError``."""
        self._loop = asyncio.get_running_loop()
        self._opened = self._loop.create_future()
        self._thread.start()
        await self._opened

    async def run(self, job: Callable[[Database], T], then: Callable[[T], None] = lambda result: None) -> T:
        """The result of ``job``, once it is on disk.

        ``then`` is called with it on the event loop first, in the order of the commits, and also where the caller
        was cancelled meanwhile. Raises what the job raised, or ``StoreError``; in both cases nothing was changed.
        """
        results: list[T] = []

        def keep(db: Database) -> T:
            results[:] = [job(db)]
            return results[0]

        (error,) = await self.run_all([keep], then)
        if error is not None:
            raise error
        return results[0]

    async def run_all(
        self, jobs: Iterable[Callable[[Database], T]], then: Callable[[T], None]
    ) -> list[Exception | None]:
        """As ``run``, for many jobs at the cost of one hand-over; returns of each what ``run`` would have raised.

        Their results are for ``then`` alone: all of them at once would take much memory.
        """
        if self._closed:
            raise StoreError("the database is closed")
        order = _Order([_Job(job, then) for job in jobs], self._loop.create_future())
        self._orders.put(order)
        await order.done
        return [job.error for job in order.jobs]

    async def close(self) -> None:
        """Finish what was handed in, then close. May be called again."""
        if not self._closed and self._thread.ident is not None:
            self._closed = True
            self._orders.put(None)
            await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        try:
            db = self._engine.writing()
            self.server = self._join(db)
        except Exception as error:
            self._closed = True
            failed = StoreError(f"the database {self._engine} cannot be opened: {error}")
            self._loop.call_soon_threadsafe(self._opened.set_exception, failed)
            return
        self._loop.call_soon_threadsafe(self._opened.set_result, None)
        with closing(db):
            while orders := self._next():
                jobs = [job for order in orders for job in order.jobs]
                began = time.monotonic()
                self._commit(db, jobs)
                self._committed(time.monotonic() - began, len(jobs))
                self._loop.call_soon_threadsafe(self._deliver, orders)

    def _next(self) -> list[_Order]:
        """All orders that wait, at least one; empty at the end."""
        first = self._orders.get()
        orders = [first] if first else []
        while orders and sum(len(order.jobs) for order in orders) < MOST_TOGETHER:
            try:
                order = self._orders.get_nowait()
            except queue.Empty:
                break
            if order is None:
                self._orders.put(None)
                break
            orders.append(order)
        return orders

    def _commit(self, db: Connection, jobs: list[_Job]) -> None:
        try:
            db.begin_writing()
            self._demand_joined(db)
        except Exception as error:
            db.rollback()
            _refuse(jobs, error)
            return
        try:
            for job in jobs:
                _run(db, job)
            faults.point("commit.before")
            db.commit()
            faults.point("commit.after")
        except Exception as error:
            db.rollback()
            if len(jobs) == 1 or isinstance(error, ConnectionLost):  # what was committed is not done twice
                _refuse(jobs, error)
                return
            for job in jobs:
                self._commit(db, [job])

    def _join(self, db: Connection) -> int:
        """The number of this server; a failure closes the connection."""
        try:
            db.begin_writing()
            number = servers.join_alone(db) if self._engine.lease is None else servers.join(db, self._key)
            db.commit()
        except BaseException:
            db.close()
            raise
        return number

    def _demand_joined(self, db: Database) -> None:
        if not servers.at_work(db, self.server):
            raise Fenced("another server has taken this one's place")

    def _deliver(self, orders: list[_Order]) -> None:
        """Once a commit, on the event loop. Whoever waits goes on after ``then``, and also where that raises."""
        for order in orders:
            if not order.done.cancelled():
                order.done.set_result(None)
            for job in order.jobs:
                if job.error is None:
                    faults.point("commit.told")
                    self._tell(job)

    def _tell(self, job: _Job) -> None:
        result, job.result = job.result, None
        try:
            job.then(result)
        except Exception as error:
            self._loop.call_exception_handler({"message": "telling of a commit went wrong", "exception": error})


def _run(db: Database, job: _Job) -> None:
    """One job in a savepoint: what it raises costs no other job; a failing database costs the transaction."""
    job.result = job.error = None
    db.execute("SAVEPOINT job")
    try:
        job.result = job.run(db)
    except ERRORS:
        raise
    except Exception as error:
        db.execute("ROLLBACK TO job")
        job.error = error
    db.execute("RELEASE job")


def _refuse(jobs: list[_Job], error: Exception) -> None:
    failed = error if isinstance(error, StoreError) else StoreError(f"the database took no change: {error}")
    for job in jobs:
        job.error = failed
