"""How long does a notebook take, by the number of its cells?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.growth.growth import Growth, Measured
from benchmarks.notebooks import trivial, write
from benchmarks.participant import Bench
from benchmarks.server import Server


@contextmanager
def ours(bench: Bench) -> Iterator[Measured]:
    with Server(bench.new("s")) as server:

        def at(size: int) -> dict[str, float]:
            write(server.root / "cells.ipynb", *trivial(size))
            server.settle()
            began = time.perf_counter()
            execution = server.start("cells.ipynb")
            server.wait([execution], "succeeded")
            return {"flownb": 1000 * (time.perf_counter() - began)}

        yield at


@contextmanager
def theirs(bench: Bench) -> Iterator[Measured]:
    with bench.worker("notebooks", "with_nbclient") as worker:
        folder = bench.new("n")

        def at(size: int) -> dict[str, float]:
            write(folder / "cells.ipynb", *trivial(size))
            paths = {"notebook": str(folder / "cells.ipynb"), "target": str(folder / "out.ipynb")}
            return {"nbclient": float(worker.ask("whole", **paths))}

        yield at


GROWTH = Growth(
    name="cells",
    title="A whole run, by the number of its cells",
    over="cells",
    unit="ms",
    sizes=(10, 30, 100, 300, 1_000),
    quick=2,
    rounds=5,
    sources=(ours, theirs),
)
