"""How many resumes a second are accepted, each of them on disk? Beside a tornado handler that does nothing at all.

``python -m benchmarks.accept [--rounds 5] [--requests 2000] [--json FILE]``: 16 connections that stay open, each POST
with 1 KB of JSON, in turn to the bare handler, to flownb inside Jupyter's server and to its ``callback_port``. Each
request has a suspended execution of its own, made beforehand. The server is drained, so that no kernel takes part: what
is measured is the way from the request to the answer, with its commit. On two cores, one is the server's, with all its
threads, and one the client's.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil

from benchmarks.load import Client, client, post, settle, share
from benchmarks.multiplied import make, resume_token
from flownb.store.folder import DataFolder
from flownb.testing.server import free_port
from tests.support.server import Server

BODY = json.dumps({"approved": True, "text": "x" * 1000}).encode()
CONNECTIONS = 16
BARE, INSIDE, APART = "bare tornado", "flownb in Jupyter's server", "flownb on callback_port"
GOALS = {INSIDE: 0.35, APART: 0.45}
WARM_UP = 200


@dataclass(frozen=True)
class Way:
    """Where requests go."""

    process: psutil.Process
    port: int


def measure(rounds: int = 5, requests: int = 2_000) -> dict[str, Any]:
    """Accepted requests a second, in every round; ratios of the medians; and the load average of the last minute."""
    with tempfile.TemporaryDirectory(prefix="fb") as name:
        root = Path(name) / "root"
        make(root, 2 * (rounds * requests + WARM_UP) + 1)
        apart = free_port()
        settings = (f"--FlowNB.callback_port={apart}", "--FlowNB.pool_size=0")
        server = Server(root, *settings).start()
        try:
            server.http.post("/drain", json={"on": True}).raise_for_status()
            assert server.process is not None
            share(server.process.pid)
            with bare_tornado() as bare, client() as send:
                ours = psutil.Process(server.process.pid)
                settle(ours)
                ways = {BARE: bare, INSIDE: Way(ours, server.port), APART: Way(ours, apart)}
                rates, spent = _rounds(send, ways, _links(root), rounds, requests)
            counts = server.http.get("/health").json()["executions"]
        finally:
            server.stop()
            server.http.close()
    assert counts["queued"] == 2 * (rounds * requests + WARM_UP), f"not all are resumed: {counts}"
    medians = {who: statistics.median(found) for who, found in rates.items()}
    return {
        "requests_per_second": rates,
        "cpu_ms_per_request": spent,
        "ratio_to_bare": {who: medians[who] / medians[BARE] for who in GOALS},
        "goals": GOALS,
        "connections": CONNECTIONS,
        "drained": True,
        "load_average": os.getloadavg()[0],
    }


def _rounds(
    send: Client, ways: dict[str, Way], links: Iterator[str], rounds: int, requests: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Requests a second of each, and the CPU time of the server's process for one of them in ms, round by round."""
    rates: dict[str, list[float]] = {who: [] for who in ways}
    spent: dict[str, list[float]] = {who: [] for who in ways}
    for number in range(rounds + 1):
        count = requests if number else WARM_UP
        for who, way in ways.items():
            paths = ["/" if who == BARE else next(links) for _ in range(count)]
            before = sum(way.process.cpu_times()[:2])
            driven = send(way.port, [post(path, BODY) for path in paths], CONNECTIONS)
            assert driven.codes == {200: count}, f"{who}: {driven.codes}"
            if number:
                rates[who].append(driven.rate)
                spent[who].append(1000 * (sum(way.process.cpu_times()[:2]) - before) / count)
    return rates, spent


def _links(root: Path) -> Iterator[str]:
    """The paths that resume one execution after the other."""
    folder, n = DataFolder(root / ".flownb"), 0
    while True:
        yield f"/flownb/resume/{resume_token(folder, n)}"
        n += 1


@contextmanager
def bare_tornado() -> Iterator[Way]:
    """In a process of its own."""
    port = free_port()
    process = get_context("spawn").Process(target=_serve, args=(port,), daemon=True)
    process.start()
    assert process.pid is not None
    share(process.pid)
    _wait_for(port)
    try:
        yield Way(psutil.Process(process.pid), port)
    finally:
        process.terminate()
        process.join()


def _serve(port: int) -> None:
    import asyncio

    from tornado.web import Application, RequestHandler

    class Nothing(RequestHandler):
        def post(self) -> None:
            self.finish(b'{"status":"resumed"}')

    async def serve() -> None:
        Application([("/", Nothing)], log_function=lambda handler: None).listen(port, "127.0.0.1")
        await asyncio.Event().wait()

    asyncio.run(serve())


def _wait_for(port: int) -> None:
    import socket

    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = measure(given.rounds, given.requests)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))
    print(f"{'accepted requests a second':30} {'median':>8} {'least':>8} {'most':>8} {'CPU each':>9}   of bare tornado")
    for who, rates in found["requests_per_second"].items():
        ratio = found["ratio_to_bare"].get(who)
        said = f"{ratio:.2f} (goal: {GOALS[who]})" if ratio else ""
        cpu = statistics.median(found["cpu_ms_per_request"][who])
        print(f"{who:30} {statistics.median(rates):8.0f} {min(rates):8.0f} {max(rates):8.0f} {cpu:6.3f} ms   {said}")
    print("The server was drained: no kernel took part. Each accepted request was on disk before its answer.")


if __name__ == "__main__":
    main()
