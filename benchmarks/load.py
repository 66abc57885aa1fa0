"""A client that takes little of the machine: requests over some connections that stay open, one after the other."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import cast

import psutil


@dataclass(frozen=True)
class Driven:
    """What came of a load: requests a second, ms of each from the first byte sent to the last one read."""

    rate: float
    latencies: list[float]
    codes: dict[int, int]


class _Connection(asyncio.Protocol):
    """Sends the next request when the answer to the last one is there."""

    def __init__(self, requests: Iterator[bytes], latencies: list[float], codes: Counter[int]) -> None:
        self._requests = requests
        self._latencies = latencies
        self._codes = codes
        self._answer = b""
        self._sent = 0.0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def _send(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
        else:
            self._sent = time.perf_counter()
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if found and len(body) >= _length(head):
            self._latencies.append(1000 * (time.perf_counter() - self._sent))
            self._codes[int(head[9:12])] += 1
            self._answer = b""
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self.over.set_result(None)


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])


async def _drive(port: int, requests: list[bytes], connections: int) -> Driven:
    left, latencies, codes = iter(requests), list[float](), Counter[int]()
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    made = [
        await loop.create_connection(lambda: _Connection(left, latencies, codes), "127.0.0.1", port)
        for _ in range(min(connections, len(requests)))
    ]
    await asyncio.gather(*(connection.over for _, connection in made))
    return Driven(len(latencies) / (time.perf_counter() - began), latencies, dict(codes))


def _run(port: int, requests: list[bytes], connections: int) -> Driven:
    return asyncio.run(_drive(port, requests, connections))


class Client:
    """The client's process."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def __call__(self, port: int, requests: list[bytes], connections: int = 16) -> Driven:
        """Send all of them; returns when the last answer is there."""
        return self._pool.submit(_run, port, requests, connections).result()


@contextmanager
def client() -> Iterator[Client]:
    """On a core of its own where there are two: ``share`` keeps the server off it."""
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=_keep_to, initargs=(_cores()[1],)) as pool:
        yield Client(pool)


def settle(process: psutil.Process) -> None:
    """Wait until a server has done what it does after its start, such as to look for files that a crash left behind."""
    while process.cpu_percent(1.0) > 2:
        pass


def share(pid: int) -> None:
    """Keep a server, all its threads and what it starts to the other core."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), _cores()[0])


def _cores() -> tuple[set[int], set[int]]:
    """Those of a server and those of its client."""
    cores = sorted(os.sched_getaffinity(0))
    return ({cores[0]}, {cores[1]}) if len(cores) > 1 else ({cores[0]}, {cores[0]})


def _keep_to(cores: set[int]) -> None:
    os.sched_setaffinity(0, cores)


def post(url_path: str, body: bytes) -> bytes:
    """A POST of JSON, as it goes over the wire."""
    head = f"POST {url_path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: load\r\nAccept: application/json\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
