"""The second process: events at a steady rate over connections that stay open, and what was answered."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from urllib.parse import urlsplit

from benchmarks.load import post

CONNECTIONS = 64


@dataclass(frozen=True)
class Answered:
    """One event, by its number: status and JSON of its answer, and ms from the time when it was to be sent."""

    number: int
    code: int
    said: dict[str, str]
    ms: float


@dataclass(frozen=True)
class Sent:
    """All events, and how many were sent in a second."""

    answers: list[Answered]
    rate: float


def send(urls: Sequence[str], count: int, rate: int) -> Sent:
    """Send so many events, each numbered and to the next URL; returns when the last answer is there."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_run, list(urls), count, rate).result()


def _run(urls: list[str], count: int, rate: int) -> Sent:
    return asyncio.run(_send(urls, count, rate))


async def _send(urls: list[str], count: int, rate: int) -> Sent:
    numbers, answers, began = iter(range(count)), list[Answered](), time.perf_counter()
    address = urlsplit(urls[0])

    async def keep_sending() -> None:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        for number in numbers:
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            writer.write(post(urlsplit(urls[number % len(urls)]).path, json.dumps({"n": number}).encode()))
            code, said = await _answer(reader)
            answers.append(Answered(number, code, said, 1000 * (time.perf_counter() - due)))
        writer.close()

    await asyncio.gather(*(keep_sending() for _ in range(min(CONNECTIONS, count))))
    return Sent(answers, count / (time.perf_counter() - began))


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
    said: dict[str, str] = json.loads(await reader.readexactly(length))
    return int(head[9:12]), said
