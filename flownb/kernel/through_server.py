"""The objects of an execution with the server, by HTTP: what breaks off goes on where it stopped."""

from __future__ import annotations

import http.client
import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import IO, Any, TypeVar
from urllib.parse import urlsplit

from flownb.core.hashing import digest
from flownb.kernel.connection import connect
from flownb.kernel.snapshot_errors import PlaceUnreachable

WAITS = (0.1, 0.5, 2.0, 5.0, 10.0)
"""Seconds before each further try where nothing came through; a server that starts anew takes some."""

DIGEST = "Flownb-Digest"

SLICE = 256 * 1024

T = TypeVar("T")


class ThroughServer:
    """``Objects`` that the server keeps, with the key of a segment."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self._url = urlsplit(told["url"])
        self._headers = {"Authorization": f"Bearer {told['key']}"}
        self._certificate: str | None = told["certificate"]
        self._idle: deque[http.client.HTTPConnection] = deque()

    def has(self, name: str, size: int) -> bool:
        return self._patiently(lambda: self._there(name) == (True, size))

    def put(self, name: str, content: bytes) -> None:
        sent, sure = 0, True
        written = digest([content])

        def go_on() -> bool:
            nonlocal sent, sure
            if not sure:  # the last try broke off
                done, sent = self._there(name)
                if done:
                    return True
            sure = False
            rest = memoryview(content)[sent:]
            span = f"bytes {sent}-{len(content) - 1}/{len(content)}"
            answer, said = self._asked("PUT", name, rest, {"Content-Range": span, DIGEST: written})
            if answer.status == 409:  # it has more of it, or less
                raise _BrokenOff("the server has another part of it")
            _demand(answer, said)
            return True

        self._patiently(go_on)

    def get(self, name: str, file: IO[bytes]) -> None:
        self._patiently(lambda: self._got(name, file))

    def close(self) -> None:
        """Let go of what was kept open."""
        while self._idle:
            self._idle.pop().close()

    def __str__(self) -> str:
        return f"the server at {self._url.netloc}"

    def _there(self, name: str) -> tuple[bool, int]:
        """Whether an object is there as a whole; its size, or how much of it there is."""
        answer, said = self._asked("HEAD", name)
        if answer.status == 404:
            return False, int(answer.headers.get("Upload-Offset", 0))
        _demand(answer, said)
        return True, int(answer.headers["Content-Length"])

    def _got(self, name: str, file: IO[bytes]) -> None:
        """What is still missing of it in the file."""
        connection = self._connection()
        try:
            connection.request("GET", self._path(name), headers={**self._headers, "Range": f"bytes={file.tell()}-"})
            answer = connection.getresponse()
            if answer.status not in (200, 206):
                _demand(answer, answer.read())
            left = int(answer.headers["Content-Length"])
            while piece := answer.read(min(SLICE, left)):
                file.write(piece)
                left -= len(piece)
            if left:
                raise _BrokenOff("the answer broke off")
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def _asked(
        self, method: str, name: str, body: memoryview | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = self._connection()
        try:
            connection.request(method, self._path(name), body, {**self._headers, **(headers or {})})
            answer = connection.getresponse()
            said = answer.read()
        except BaseException:  # an interrupt too: what comes next on this connection belongs to nobody
            connection.close()
            raise
        self._idle.append(connection)
        return answer, said

    def _path(self, name: str) -> str:
        return f"{self._url.path}/{name}"

    def _connection(self) -> http.client.HTTPConnection:
        """One that nobody uses now; a closed one opens itself again."""
        try:
            return self._idle.pop()
        except IndexError:
            return connect(self._url, self._certificate)

    def _patiently(self, action: Callable[[], T]) -> T:
        for wait in (*WAITS, None):
            try:
                return action()
            except (FileNotFoundError, _Refused):
                raise
            except (OSError, http.client.HTTPException, ValueError) as error:
                if wait is None:
                    raise PlaceUnreachable(f"{self} does not answer: {error}") from None
                time.sleep(wait)
        raise AssertionError("the last try returns or raises")


class _BrokenOff(OSError):
    """To be tried again."""


class _Refused(OSError):
    """The server will not."""


def _demand(answer: http.client.HTTPResponse, said: bytes) -> None:
    """Raises ``FileNotFoundError``, ``_Refused``, or ``_BrokenOff`` where the same may work later."""
    if answer.status < 300:
        return
    try:
        message = str(json.loads(said)["message"])
    except (ValueError, LookupError, TypeError):
        message = f"the server answers {answer.status}"
    if answer.status == 404:
        raise FileNotFoundError(message)
    raise _BrokenOff(message) if answer.status >= 500 else _Refused(message)
