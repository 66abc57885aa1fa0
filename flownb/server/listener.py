"""The second listener: HTTP for the public URLs alone, within limits for senders that mean no good, or are slow."""

from __future__ import annotations

from collections import Counter
from copy import copy
from dataclasses import dataclass
from typing import Any

from tornado.http1connection import HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream
from tornado.web import Application

from flownb.core.proxies import Proxies, household
from flownb.server.public_handler import NOT_FOUND, PublicHandler

PROXY_SECONDS = 3600.0
"""A proxy keeps connections for later: to close one while it sends would cost a request."""

FULL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 5\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True)
class Allowed:
    """What the listener bears: connections in all and of one address, bytes of a head, seconds for head and body."""

    connections: int
    of_an_address: int
    header_bytes: int
    header_seconds: float
    body_seconds: float


class Listener(HTTPServer):
    """Closes connections above what is allowed at once. What is a proxy's may idle, and is not counted by address."""

    def __init__(self, application: Application, allowed: Allowed, proxies: Proxies) -> None:
        """Tornado makes it by ``initialize``."""

    def initialize(  # type: ignore[override]  # with what is asked of this one
        self, application: Application, allowed: Allowed, proxies: Proxies
    ) -> None:
        super().initialize(
            application,
            max_header_size=allowed.header_bytes,
            idle_connection_timeout=allowed.header_seconds,
            body_timeout=allowed.body_seconds,
        )
        self._strict, self._patient = self.conn_params, copy(self.conn_params)
        self._patient.header_timeout = PROXY_SECONDS
        self._allowed = allowed
        self._proxies = proxies
        self._open: Counter[str] = Counter()

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        peer, trusted = household(address[0]), self._proxies.trusts(address[0])
        crowded = not trusted and self._open[peer] >= self._allowed.of_an_address
        if crowded or self._open.total() >= self._allowed.connections:
            stream.write(FULL)
            stream.close()
            return
        self._open[peer] += 1
        self.conn_params = self._patient if trusted else self._strict
        super().handle_stream(stream, address)

    def on_close(self, server_conn: object) -> None:
        super().on_close(server_conn)
        assert isinstance(server_conn, HTTP1ServerConnection)
        peer = household(server_conn.context.address[0])  # type: ignore[attr-defined]  # tornado's own
        self._open[peer] -= 1
        if not self._open[peer]:
            del self._open[peer]


class NothingHandler(PublicHandler):
    """Anything else there: as an unknown link is answered, by whatever method."""

    def prepare(self) -> None:
        self.set_header("Connection", "close")  # a body, if there is one, is not listened to
        self._tell(NOT_FOUND, None)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self._tell(NOT_FOUND, None)

    def _request_summary(self) -> str:
        return f"{self.request.method} ({self.request.remote_ip})"
