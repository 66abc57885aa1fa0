"""How do a server's start, answers and memory depend on how many executions are suspended?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.contests.memory import pss
from benchmarks.growth.growth import Growth, Measured
from benchmarks.many import many
from benchmarks.participant import Bench
from benchmarks.server import Server

SIZES = (10**2, 10**3, 10**4, 10**5)


@contextmanager
def times(bench: Bench) -> Iterator[Measured]:
    def at(size: int) -> dict[str, float]:
        there = many(bench, size)
        began = time.perf_counter()
        with Server(there.folder) as server:
            started = 1000 * (time.perf_counter() - began)
            server.settle()
            listed = _took(lambda: server.client.executions(status="suspended"))
            link = there.link()
            resumed = _took(lambda: server.post(link))
        return {"start of the server": started, "page of the list": listed, "resume URL to its answer": resumed}

    yield at


@contextmanager
def memory(bench: Bench) -> Iterator[Measured]:
    def at(size: int) -> dict[str, float]:
        with Server(many(bench, size).folder) as server:
            server.settle()
            return {"flownb's server": pss(server.process.pid) / 1e6}

    yield at


def _took(call: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - began)


TIMES = Growth(
    name="executions",
    title="Start and answers of a server, by the number of suspended executions",
    over="suspended executions",
    unit="ms",
    sizes=SIZES,
    quick=1,
    rounds=5,
    sources=(times,),
)
MEMORY = Growth(
    name="executions-memory",
    title="Memory of a server, by the number of suspended executions",
    over="suspended executions",
    unit="MB",
    sizes=SIZES,
    quick=1,
    rounds=3,
    sources=(memory,),
)
