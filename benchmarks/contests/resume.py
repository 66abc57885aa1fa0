"""How long is it from the request to a resume URL until the first line of the next step runs?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from benchmarks.contest import Contest, Goal
from benchmarks.notebooks import FIRST_LINE, MAKE, SUSPEND, write
from benchmarks.participant import Bench, Participant, Round, asking
from benchmarks.server import Server

NEW = "flownb, hibernated, a new kernel (`pool_size=0`)"
PARKED = "flownb, hibernated, a parked kernel"
WARM = "flownb, its own kernel kept warm"
LARGE_NEW = "flownb, hibernated, a new kernel, 172 MB"
LARGE_PARKED = "flownb, hibernated, a parked kernel, 172 MB"
COLD = "jupyter_client, cold start"
DBOS = "DBOS, SQLite, default settings"
PREFECT = "Prefect 3, suspend_flow_run"
LANGGRAPH = "LangGraph, SqliteSaver, in process"

FRAMES = """
import numpy as np
import pandas as pd_
rng = np.random.default_rng(0)
frame = pd_.DataFrame({f"f{n}": rng.random(1_000_000) for n in range(10)})
frame["day"] = pd_.date_range("2020-01-01", periods=1_000_000, freq="min")
counts = rng.integers(0, 1_000, 10_500_000)
pd.export('bytes', int(frame.memory_usage().sum() + counts.nbytes))
"""
"""172 MB of numbers: ten columns of floats, one of times, and an array of its own."""


def ours(make: str, *settings: str, hibernated: bool = True) -> Callable[[Bench], AbstractContextManager[Round]]:
    @contextmanager
    def enter(bench: Bench) -> Iterator[Round]:
        with Server(bench.new("s"), *settings) as server:
            write(server.root / "ask.ipynb", make, SUSPEND, FIRST_LINE)
            yield lambda: _once(server, hibernated)

    return enter


def _once(server: Server, hibernated: bool) -> float:
    """Milliseconds from just before the request to the first line of the step behind the pause."""
    found = server.suspended("ask.ipynb")
    before = found["steps"][0]["exports"]["pid"]
    if hibernated:
        server.without_kernel(found)
    server.settle()
    began = time.time_ns()
    server.post(found["waiting"]["resume_url"])
    server.wait([found["id"]], "succeeded")
    said = server.client.execution(found["id"])["steps"][2]["exports"]
    assert (said["pid"] != before) == hibernated, "the kernel is not the one that was meant"
    return (int(said["at"]) - began) / 1e6


GONE = "--FlowNB.warm_seconds=0"
NONE_PARKED = "--FlowNB.pool_size=0"

CONTEST = Contest(
    name="resume",
    title="Request at the resume URL to the first line of the next step",
    unit="ms",
    rounds=30,
    quick=3,
    participants=(
        Participant(NEW, ours(MAKE, GONE, NONE_PARKED)),
        Participant(PARKED, ours(MAKE, GONE)),
        Participant(WARM, ours(MAKE, hibernated=False)),
        Participant(LARGE_NEW, ours(FRAMES + MAKE, GONE, NONE_PARKED), every=2, quick=False),
        Participant(LARGE_PARKED, ours(FRAMES + MAKE, GONE), every=2),
        Participant(COLD, asking("own", "with_jupyter_client", "first_line")),
        Participant(DBOS, asking("dbos", "with_dbos", "resume")),
        Participant("DBOS, polling every 10 ms", asking("dbos", "with_dbos", "resume", "0.01")),
        Participant(LANGGRAPH, asking("langgraph", "with_langgraph", "resume")),
        Participant(PREFECT, asking("prefect", "with_prefect", "resume"), every=5, quick=False),
    ),
    goals=(
        Goal(NEW, COLD, 0.2),
        Goal(NEW, DBOS, 0.2),
        Goal(NEW, PREFECT, 0.01),
        Goal(PARKED, LANGGRAPH, 8),
        Goal(WARM, LANGGRAPH, 8),
        Goal(LARGE_NEW, NEW, 2),
        Goal(LARGE_PARKED, PARKED, 2),
    ),
)
