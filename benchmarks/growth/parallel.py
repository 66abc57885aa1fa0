"""How many steps run in a second, by the number of executions that run at once?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.growth.growth import Growth, Measured
from benchmarks.notebooks import SUSPEND, trivial, write
from benchmarks.participant import Bench
from benchmarks.server import Server

CELLS = 50
MOST = 16


@contextmanager
def ours(bench: Bench) -> Iterator[Measured]:
    """All wait with their kernels kept, and are then resumed: no start of a kernel is in it."""
    with Server(bench.new("s"), f"--FlowNB.max_running={MOST}", "--FlowNB.warm_seconds=600") as server:
        write(server.root / "steps.ipynb", SUSPEND, *trivial(CELLS))

        def at(size: int) -> dict[str, float]:
            executions = [server.start("steps.ipynb") for _ in range(size)]
            server.wait(executions, "suspended")
            links = [server.client.execution(one)["waiting"]["resume_url"] for one in executions]
            server.settle()
            began = time.perf_counter()
            for link in links:
                server.post(link)
            server.wait(executions, "succeeded")
            return {"flownb": size * CELLS / (time.perf_counter() - began)}

        yield at


GROWTH = Growth(
    name="parallel",
    title="Steps that are run, committed and checkpointed in a second",
    over="executions at once",
    unit="steps/s",
    sizes=(1, 2, 4, 8, MOST),
    quick=2,
    rounds=5,
    sources=(ours,),
)
