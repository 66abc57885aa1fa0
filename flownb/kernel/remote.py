"""The server's data stores, asked by HTTP from a cell: one connection a thread, kept open."""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import urlsplit

from flownb.core.data import Changed, NoSuchKey
from flownb.core.errors import FlowNBError, InvalidValue
from flownb.core.jsonvalue import dumps
from flownb.kernel.connection import connect

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
            self._mine.connection = connect(self._url, self._certificate)
        found: http.client.HTTPConnection = self._mine.connection
        return found

    def _drop(self) -> None:
        self._mine.pid = None
        self._mine.connection.close()
