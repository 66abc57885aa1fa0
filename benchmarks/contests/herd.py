"""Two hundred are suspended and all resumed at once: how long until all have finished?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager

from benchmarks.contest import Contest, Goal
from benchmarks.notebooks import MAKE, SUSPEND, write
from benchmarks.participant import Bench, Participant, Round
from benchmarks.server import Server

COUNT = 200
QUICK = 8
CONNECTIONS = 4
HIBERNATED = "flownb, hibernated"
WARM = "flownb, warm kernels"
DBOS = "DBOS, SQLite, default settings"


def ours(*settings: str, hibernated: bool) -> Callable[[Bench], AbstractContextManager[Round]]:
    @contextmanager
    def enter(bench: Bench) -> Iterator[Round]:
        with Server(bench.new("s"), *settings) as server:
            write(server.root / "ask.ipynb", MAKE, SUSPEND, "total")
            yield lambda: _once(server, QUICK if bench.quick else COUNT, hibernated)

    return enter


def _once(server: Server, count: int, hibernated: bool) -> float:
    """Milliseconds from the first request until all have finished."""
    executions = [server.start("ask.ipynb") for _ in range(count)]
    server.wait(executions, "suspended")
    found = [server.client.execution(one) for one in executions]
    links = [one["waiting"]["resume_url"] for one in found]
    if hibernated:
        for one in found:
            server.without_kernel(one)
    server.settle()
    with ExitStack() as stack:
        posters = [stack.enter_context(closing(server.poster())) for _ in range(CONNECTIONS)]
        pool = stack.enter_context(ThreadPoolExecutor(CONNECTIONS))
        began = time.perf_counter()
        done = [pool.submit(_resume, poster, links[place::CONNECTIONS]) for place, poster in enumerate(posters)]
        server.wait(executions, "succeeded")
        took = 1000 * (time.perf_counter() - began)
        for posted in done:
            posted.result()
    return took


def _resume(post: Callable[[str], None], links: list[str]) -> None:
    for link in links:
        post(link)


def theirs(*arguments: str) -> Callable[[Bench], AbstractContextManager[Round]]:
    @contextmanager
    def enter(bench: Bench) -> Iterator[Round]:
        with bench.worker("dbos", "with_dbos", *arguments) as worker:
            yield lambda: float(worker.ask("herd", count=QUICK if bench.quick else COUNT))

    return enter


CONTEST = Contest(
    name="herd",
    title=f"{COUNT} suspended, all resumed at once, until all have finished",
    unit="ms",
    rounds=5,
    quick=1,
    participants=(
        Participant(HIBERNATED, ours("--FlowNB.warm_seconds=0", hibernated=True)),
        Participant(
            WARM, ours(f"--FlowNB.max_running={COUNT}", "--FlowNB.warm_seconds=600", hibernated=False), quick=False
        ),
        Participant(DBOS, theirs()),
        Participant("DBOS, polling every 10 ms", theirs("0.01")),
    ),
    goals=(Goal(HIBERNATED, DBOS, 4), Goal(WARM, DBOS, 1)),
    warm_up=False,
)
