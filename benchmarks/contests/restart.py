"""With 100,000 executions suspended, how long is it from the start of the server until it has answered a request?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from benchmarks.contest import Contest, Goal
from benchmarks.many import many
from benchmarks.participant import Bench, Participant, Round
from benchmarks.server import Server

MANY = 100_000
FEW = 100
QUICK = 1_000
OURS = f"flownb, {MANY:,} suspended"


def suspended(executions: int) -> Callable[[Bench], AbstractContextManager[Round]]:
    @contextmanager
    def enter(bench: Bench) -> Iterator[Round]:
        there = many(bench, min(executions, QUICK) if bench.quick else executions)

        def once() -> float:
            """Milliseconds until one of the executions has been resumed."""
            link = there.link()
            began = time.perf_counter()
            with Server(there.folder) as server:
                server.post(link)
                return 1000 * (time.perf_counter() - began)

        yield once

    return enter


CONTEST = Contest(
    name="restart",
    title=f"Restart with {MANY:,} suspended until the first request is answered",
    unit="ms",
    goals=(Goal(OURS, None, 2_000),),
    participants=(Participant(OURS, suspended(MANY)), Participant(f"flownb, {FEW} suspended", suspended(FEW))),
    rounds=10,
    quick=1,
)
