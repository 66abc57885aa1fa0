"""How long does a notebook of ten trivial cells take, as a whole, with the executed notebook on disk in the end?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from benchmarks.contest import Contest, Goal
from benchmarks.notebooks import trivial, write
from benchmarks.participant import Bench, Participant, Round
from benchmarks.server import Server

CELLS = 10
OURS = "flownb"
PAPERMILL = "papermill"
NBCLIENT = "nbclient"


@contextmanager
def ours(bench: Bench) -> Iterator[Round]:
    with Server(bench.new("s")) as server:
        write(server.root / "ten.ipynb", *trivial(CELLS))

        def once() -> float:
            """Milliseconds from the request until the execution is over and its notebook is there."""
            server.settle()
            began = time.perf_counter()
            execution = server.start("ten.ipynb")
            server.wait([execution], "succeeded")
            server.until(lambda: server.written(execution), every=0.0005)
            return 1000 * (time.perf_counter() - began)

        yield once


def theirs(module: str, **said: object) -> Callable[[Bench], AbstractContextManager[Round]]:
    @contextmanager
    def enter(bench: Bench) -> Iterator[Round]:
        with bench.worker("notebooks", module) as worker:
            folder = bench.new("n")
            paths = {"notebook": str(folder / "ten.ipynb"), "target": str(folder / "out.ipynb")}
            write(folder / "ten.ipynb", *trivial(CELLS))
            yield lambda: float(worker.ask("whole", **paths, **said))

    return enter


CONTEST = Contest(
    name="ten-cells",
    title="10 trivial cells, the whole run, executed notebook written",
    unit="ms",
    rounds=20,
    quick=3,
    participants=(
        Participant(OURS, ours),
        Participant(NBCLIENT, theirs("with_nbclient")),
        Participant(PAPERMILL, theirs("with_papermill", save_each=True)),
        Participant("papermill, saving once", theirs("with_papermill", save_each=False)),
    ),
    goals=(Goal(OURS, PAPERMILL, 0.2), Goal(OURS, NBCLIENT, 0.35)),
)
