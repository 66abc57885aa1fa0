"""The server's data stores, asked by HTTP from a cell: one connection a thread, kept open."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from hmac import compare_digest
from typing import Any, NoReturn
from urllib.parse import SplitResult, unquote, urlsplit

from flownb.core.data import Changed, NoSuchKey
from flownb.core.errors import FlowNBError, InvalidValue
from flownb.core.jsonvalue import dumps

SECONDS = 60.0
"""The server answers within that time."""

WAITS = (0.1, 0.5, 2.0)
"""Seconds before each further try where the server does not answer."""

ONCE = frozenset({"incr", "delete"})
"""What does something else when it is done twice; so does a ``set`` that is subject to what is there."""

_ERRORS: dict[int, type[FlowNBError]] = {404: NoSuchKey, 409: Changed, 400: InvalidValue}


class NoAnswer(FlowNBError):
    """The server with the data stores cannot be reached, or does not let this cell in."""


class Remote:
    """Asks the server; used from several threads. Holds the key of this segment, and is never carried on."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.key: str = told["key"]
        self._certificate: str | None = told["certificate"]
        self._url = urlsplit(told["url"])
        self._mine = threading.local()

    def __reduce__(self) -> NoReturn:
        raise TypeError("the way to the data stores belongs to one segment of an execution")

    def ask(self, op: str, store: str, **said: object) -> Any:
        """What the server says. Raises ``NoSuchKey``, ``Changed``, ``InvalidValue`` or ``NoAnswer``."""
        body = dumps({"op": op, "store": store, **said}).encode()
        may_repeat = op not in ONCE and not said.keys() & {"revision", "expected"}
        status, answer = self._posted(body, may_repeat)
        if status == 200:
            return answer["result"]
        message = answer.get("message", f"the server answers {status}")
        if status not in _ERRORS:
            raise NoAnswer(message)
        error = _ERRORS[status].__new__(_ERRORS[status])
        FlowNBError.__init__(error, message)
        raise error

    def _posted(self, body: bytes, may_repeat: bool) -> tuple[int, dict[str, Any]]:
        for wait in (*WAITS, None):
            connection = self._connection()
            reached = connection.sock is not None
            try:
                if not reached:
                    connection.connect()
                    reached = True
                return self._exchanged(connection, body)
            except (OSError, http.client.HTTPException, ValueError) as error:
                self._drop()
                if wait is None or (reached and not may_repeat):
                    raise NoAnswer(f"the data stores cannot be reached, the server does not answer: {error}") from None
                time.sleep(wait)
            except BaseException:  # an interrupt: what comes next on this connection belongs to nobody
                self._drop()
                raise
        raise AssertionError("the last try returns or raises")

    def _exchanged(self, connection: http.client.HTTPConnection, body: bytes) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        connection.request("POST", self._url.path, body, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())

    def _connection(self) -> http.client.HTTPConnection:
        """This thread's; a process that was forked off makes its own."""
        if getattr(self._mine, "pid", None) != os.getpid():
            self._mine.pid = os.getpid()
            self._mine.connection = _made(self._url, self._certificate)
        found: http.client.HTTPConnection = self._mine.connection
        return found

    def _drop(self) -> None:
        self._mine.pid = None
        self._mine.connection.close()


def _made(url: SplitResult, certificate: str | None) -> http.client.HTTPConnection:
    """Straight to the server, whatever proxies the environment names."""
    if url.scheme == "http+unix":
        return _OverUnixSocket(unquote(url.netloc))
    assert url.hostname is not None
    if url.scheme == "https":
        return _OverTls(url.hostname, url.port, certificate)
    return http.client.HTTPConnection(url.hostname, url.port, timeout=SECONDS)


class _OverUnixSocket(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(SECONDS)
        self.sock.connect(self._path)


class _OverTls(http.client.HTTPSConnection):
    """Where the server's own certificate is known, it is that one which counts, whoever signed it for which name."""

    def __init__(self, host: str, port: int | None, certificate: str | None) -> None:
        context = ssl.create_default_context()
        if certificate is not None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        super().__init__(host, port, timeout=SECONDS, context=context)
        self._certificate = certificate

    def connect(self) -> None:
        super().connect()
        shown = hashlib.sha256(self.sock.getpeercert(binary_form=True) or b"").hexdigest()
        if self._certificate is not None and not compare_digest(shown, self._certificate):
            self.close()
            raise ssl.SSLError("the server shows another certificate than its own")
