"""Requests that are none, to the listener for the public URLs: no answer is a 5xx, and the server stays at work."""

from __future__ import annotations

import random
import socket
import tempfile
import time
from pathlib import Path

from benchmarks.fuzz.targets import KINDS
from benchmarks.server import Server

LINES = (b"GET", b"POST", b"PUT", b"HEAD", b"TRACE", b"BREW", b"\x00", b"", b"GET http://a")
PATHS = (b"/flownb/resume/x", b"/flownb/review/x", b"/flownb/hook/x", b"/flownb/cancel/%ff", b"/", b"*", b"/" * 20_000)
HEADERS = (
    b"Content-Length: -1",
    b"Content-Length: 5\r\nContent-Length: 6",
    b"Content-Length: 99999999999999999999",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Content-Length: 4\r\nTransfer-Encoding: chunked",
    b"Content-Encoding: gzip",
    b"Expect: 100-continue",
    b"Accept: text/html",
    b"Range: bytes=0-,9-1",
    b"X-Forwarded-For: 1.2.3.4, \xff",
    b": empty",
    b"No colon",
    b" folded",
    b"Cookie: " + b"a=b; " * 500,
    b"\r\n".join([b"A: b"] * 5_000),
    *(b"Content-Type: " + kind for kind in KINDS),
)
BODIES = (
    b"",
    b"body",
    b"4\r\nbody\r\n0\r\n\r\n",
    b"ffffffffffffffff\r\n",
    b"-4\r\n",
    b"4;" + b"x" * 100 + b"\r\n",
    b"1\r\na\r\n" * 500,
    b"0\r\nX: trailer\r\n\r\n",
)


def made(chance: random.Random) -> bytes:
    """One request, or what pretends to be one."""
    version = chance.choice([b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2", b""])
    lines = [chance.choice(LINES) + b" " + chance.choice(PATHS) + b" " + version]
    lines += [b"Host: flows.example.org"] * chance.choice([1, 1, 1, 0, 2])
    lines += chance.sample(HEADERS, chance.randrange(4))
    raw = bytearray(b"\r\n".join(lines) + b"\r\n\r\n" + chance.choice(BODIES))
    for _ in range(chance.choice([0, 0, 0, 1, 5])):
        raw[chance.randrange(len(raw))] = chance.randrange(256)
    return bytes(raw)


def run(seconds: float, seed: int) -> tuple[int, list[str]]:
    """How many were sent, and what was answered wrongly."""
    chance, sent, findings = random.Random(seed), 0, []
    with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
        probe.close()
        settings = (f"--FlowNB.callback_port={port}", "--FlowNB.callback_address_connections=1000")
        with Server(Path(name), *settings, "--FlowNB.pool_size=0") as server:
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                request = made(chance)
                answer = _asked(port, request)
                sent += 1
                if answer.startswith(b"HTTP/1.1 5"):
                    findings.append(f"{request[:300]!r} -> {answer[:60]!r}")
            if server.process.poll() is not None or not server.is_healthy():
                findings.append("the server is not at work any more")
    return sent, findings


def _asked(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return connection.recv(65536)
        except OSError:
            return b""
