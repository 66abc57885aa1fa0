"""How much memory does a suspended execution hold in the server?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from benchmarks.contest import Contest, Goal
from benchmarks.notebooks import SUSPEND, write
from benchmarks.participant import Bench, Participant, Round
from benchmarks.server import Server

FIRST = 50
"""Suspended before the count begins: the first ones bring in code, and the allocator's reserves."""
MORE = 1_000
QUICK = 10
THREADS = 200
OURS = "flownb"
DBOS = "DBOS, SQLite, a thread each"


@contextmanager
def ours(bench: Bench) -> Iterator[Round]:
    """Each round is a server of its own; the kernel that is parked belongs to no execution, and is not counted."""

    def once() -> float:
        with Server(bench.new("s"), "--FlowNB.warm_seconds=0") as server:
            write(server.root / "ask.ipynb", "total = 42", SUSPEND, "total")
            first, more = (2, QUICK) if bench.quick else (FIRST, MORE)
            _suspend(server, first)
            before = pss(server.process.pid)
            _suspend(server, more)
            return (pss(server.process.pid) - before) / 1024 / more

    yield once


def _suspend(server: Server, count: int) -> None:
    executions = [server.start("ask.ipynb") for _ in range(count)]
    server.wait(executions, "suspended")
    server.settle()


@contextmanager
def theirs(bench: Bench) -> Iterator[Round]:
    def once() -> float:
        with bench.worker("dbos", "with_dbos") as worker:
            worker.ask("wait", count=FIRST)
            before = pss(worker.pid)
            worker.ask("wait", count=THREADS - FIRST)
            return (pss(worker.pid) - before) / 1024 / (THREADS - FIRST)

    yield once


def pss(pid: int) -> int:
    """A process's memory in bytes, of which what it shares is divided among those who share it."""
    return int(psutil.Process(pid).memory_full_info().pss)


CONTEST = Contest(
    name="memory",
    title="Memory per suspended execution",
    unit="KB",
    rounds=3,
    quick=1,
    participants=(Participant(OURS, ours), Participant(DBOS, theirs)),
    goals=(Goal(OURS, DBOS, 0.05),),
    warm_up=False,
)
