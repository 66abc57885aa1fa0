"""Requests over one connection, with little of the client's own in what is measured."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any
from urllib.parse import urlsplit

TOKEN = "a-token-for-benchmarks"
ANSWER_SECONDS = 60.0


class Poster:
    """One connection that stays open, with nothing between a request and its socket."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __call__(self, url: str) -> None:
        """A request to a link; raises ``RuntimeError`` unless it acted."""
        self.send(urlsplit(url).path, "{}", 200)

    def send(self, path: str, body: str, expected: int) -> Any:
        """The JSON of the answer; raises ``RuntimeError`` where it has another code."""
        headers = {"Authorization": f"token {TOKEN}", "Content-Type": "application/json", "Accept": "application/json"}
        self._connection.request("POST", path, body, headers)
        answer = self._connection.getresponse()
        said = answer.read()
        if answer.status != expected:
            raise RuntimeError(f"{answer.status} {said.decode(errors='replace')[:500]}")
        return json.loads(said)

    def close(self) -> None:
        self._connection.close()
