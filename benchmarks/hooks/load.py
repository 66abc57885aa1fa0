"""A server under a load of events, and what became of them."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.figures import percentile
from benchmarks.hooks.profile import Profile
from benchmarks.hooks.sender import Sent, send
from benchmarks.hooks.verdict import RAN, verdict
from tests.support.notebooks import write
from tests.support.server import Server

EVERY_SECONDS = 0.05
IDLE_CALLS = 40


@dataclass(frozen=True)
class Load:
    """Events a second, for how long, to how many workflows; ``queue`` is the limit of those that have one.

    The server goes on until ``enough`` have ended or paused.
    """

    rate: int = 200
    seconds: int = 30
    workflows: int = 50
    queue: int = 20
    enough: int = 100

    def cell(self, number: int) -> str:
        """The one step of a workflow: it exports its event's number, and every other one pauses."""
        source = "pd.export('n', pd.steps.trigger.event.body.n)"
        return f"{source}\npd.flow.suspend();" if number % 2 else source

    def settings(self, number: int) -> dict[str, Any]:
        if number % 5 == 0:
            return {"queue": self.queue}
        return {"concurrency": 1} if number % 5 == 1 else {}


def measure(load: Load, profile: bool = False) -> dict[str, Any]:
    """What was answered, what is on disk, and how long things took, in ms."""
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="fb") as name:
        server = Server(Path(name) / "root", "--FlowNB.max_running=2")
        server.root.mkdir()
        try:
            server.start()
            urls = [_deploy(server, load, number) for number in range(load.workflows)]
            idle = _times([_get(server.http) for _ in range(IDLE_CALLS)])
            assert server.process is not None
            with Profile(server.process.pid, load.seconds if profile else 0) as profiled, _Calls(server) as calls:
                sent = send(urls, load.rate * load.seconds, load.rate)
            server.until(lambda: _ran(server.http) >= load.enough)
        finally:
            server.stop()
            server.close()  # which also tells the whole record again
        with closing(sqlite3.connect(server.database)) as db:
            found = verdict(db, sent.answers, load)
    return {
        **found,
        **_answers(sent),
        "get_ms": _times(calls.ms),
        "idle_ms": idle,
        "profile": profiled.shares(),
        "load_average": (before, os.getloadavg()[0]),
    }


def _deploy(server: Server, load: Load, number: int) -> str:
    """Deploy one of the workflows; its hook."""
    name = f"w{number}"
    path = write(server.root, f"{name}.ipynb", load.cell(number), flownb=load.settings(number))
    answer = server.http.put(f"/workflows/{name}", json={"notebook": path})
    answer.raise_for_status()
    return str(answer.json()["hook_url"])


def _answers(sent: Sent) -> dict[str, Any]:
    return {
        "codes": dict(sorted(Counter(answer.code for answer in sent.answers).items())),
        "rate": sent.rate,
        "hook_ms": _times([answer.ms for answer in sent.answers]),
    }


def _times(ms: list[float]) -> dict[str, float]:
    ordered = sorted(ms)
    return {"p50": percentile(ordered, 50), "p99": percentile(ordered, 99), "max": ordered[-1], "n": len(ordered)}


def _ran(client: httpx.Client) -> int:
    counts = client.get("/health").raise_for_status().json()["executions"]
    return int(sum(counts[status] for status in RAN))


def _get(client: httpx.Client) -> float:
    """How long the newest fifty executions take, in ms."""
    began = time.perf_counter()
    client.get("/executions").raise_for_status()
    return 1000 * (time.perf_counter() - began)


class _Calls:
    """Calls of the API, one after the other with a little time between them, while a block runs."""

    def __init__(self, server: Server) -> None:
        self.ms: list[float] = []
        self._client = server.http
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._call)

    def __enter__(self) -> _Calls:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _call(self) -> None:
        while not self._over.wait(EVERY_SECONDS) or not self.ms:
            self.ms.append(_get(self._client))
