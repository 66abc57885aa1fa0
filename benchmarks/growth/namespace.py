"""How does the size of the variables tell, when an execution is suspended and when it is resumed?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.growth.growth import Growth, Measured
from benchmarks.notebooks import FIRST_LINE, write
from benchmarks.participant import Bench
from benchmarks.server import Server

MAKE = """
import os, time
import numpy as np
total = np.random.default_rng().integers(0, 256, {size}, dtype='u1')
pd.export('pid', os.getpid())
pd.flow.suspend()
pd.export('at', time.time_ns());
"""
READ = FIRST_LINE + ".sum().item()"


@contextmanager
def ours(bench: Bench) -> Iterator[Measured]:
    """Random bytes in one array: new ones each time, so that nothing of them is on disk before."""
    with Server(bench.new("s"), "--FlowNB.warm_seconds=0") as server:

        def at(size: int) -> dict[str, float]:
            write(server.root / "large.ipynb", MAKE.format(size=size), READ)
            server.settle()
            execution = server.start("large.ipynb")
            server.wait([execution], "suspended")
            suspended = time.time_ns()
            found = server.client.execution(execution)
            server.without_kernel(found)
            server.settle()
            asked = time.time_ns()
            server.post(found["waiting"]["resume_url"])
            server.wait([execution], "succeeded")
            ran = int(server.client.execution(execution)["steps"][1]["exports"]["at"])
            server.client.delete(execution)
            return {
                "last line of the step to suspended": (suspended - int(found["steps"][0]["exports"]["at"])) / 1e6,
                "resume URL to the first line of the next step": (ran - asked) / 1e6,
            }

        yield at


GROWTH = Growth(
    name="namespace",
    title="Suspending and resuming, by the size of the variables",
    over="bytes",
    unit="ms",
    sizes=(10**4, 10**5, 10**6, 10**7, 10**8, 10**9),
    quick=3,
    rounds=5,
    sources=(ours,),
)
