"""What does a trivial cell cost, in a notebook of 200 and in a kernel that runs already?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from benchmarks.contest import Contest, Goal
from benchmarks.notebooks import trivial, write
from benchmarks.participant import Bench, Participant, Round
from benchmarks.server import Server

CELLS = 200
OURS = "flownb"
NBCLIENT = "nbclient"


@contextmanager
def ours(bench: Bench) -> Iterator[Round]:
    """From the start of the second step to the end, by the record; nbclient's first cell does not count either."""
    with _server(bench) as server:

        def once() -> float:
            execution = _run(server)
            found = server.client.execution(execution)
            began, ended = found["steps"][1]["started_at"], found["finished_at"]
            return 1000 * (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds() / (CELLS - 1)

        yield once


@contextmanager
def whole(bench: Bench) -> Iterator[Round]:
    """From the request to the word that it has succeeded, by the clock, with the kernel's start."""
    with _server(bench) as server:

        def once() -> float:
            server.settle()
            began = time.perf_counter()
            _run(server)
            return 1000 * (time.perf_counter() - began) / CELLS

        yield once


@contextmanager
def _server(bench: Bench) -> Iterator[Server]:
    with Server(bench.new("s")) as server:
        write(server.root / "many.ipynb", *trivial(CELLS))
        yield server


def _run(server: Server) -> str:
    execution = server.start("many.ipynb")
    server.wait([execution], "succeeded")
    return execution


@contextmanager
def theirs(bench: Bench) -> Iterator[Round]:
    with bench.worker("notebooks", "with_nbclient") as worker:
        folder = bench.new("n")
        write(folder / "many.ipynb", *trivial(CELLS))
        yield lambda: float(worker.ask("each", notebook=str(folder / "many.ipynb")))


CONTEST = Contest(
    name="per-cell",
    title="200 trivial cells, per cell",
    unit="ms",
    rounds=15,
    quick=2,
    participants=(
        Participant(OURS, ours),
        Participant("flownb, the whole run", whole, quick=False),
        Participant(NBCLIENT, theirs),
    ),
    goals=(Goal(OURS, NBCLIENT, 1.2),),
)
