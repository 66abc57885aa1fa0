"""Server-sent events: one change of an execution after the other, across broken connections."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import httpx

from flownb.client.errors import ApiError, NoServer

PATIENCE = 30.0
"""Seconds for which a server that went away is waited for: long enough for a restart."""

PAUSE = 0.5
"""Seconds between two tries to connect again."""


class Events:
    """The changes that the server tells, as dicts with ``seq, execution, workflow, event, status, step, run, at``.

    Connected once it is made: nothing that happens later is missed. A broken connection is made anew and goes on
    behind the last change that was seen. Iterating raises ``NoServer`` or ``ApiError`` where that does not succeed
    within ``patience`` seconds, ``PATIENCE`` unless given.
    """

    def __init__(self, connect: Callable[[str | None], httpx.Response], patience: float | None = None) -> None:
        self._connect = connect
        self._patience = PATIENCE if patience is None else patience
        self._stopped = threading.Event()
        self._last: str | None = None
        self._response = connect(None)
        self._changes = self._read()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> dict[str, Any]:
        return next(self._changes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._changes.close()
        self._response.close()

    def stop(self) -> None:
        """End it from another thread: whoever waits for the next change learns that there is none."""
        self._stopped.set()
        with suppress(OSError):  # it is closed already
            self._response.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def _read(self) -> Generator[dict[str, Any], None, None]:
        while not self._stopped.is_set():
            with suppress(httpx.TransportError):  # as good as the stream's end
                yield from self._messages()
            self._response.close()
            if not self._stopped.is_set():
                self._response = self._connect_again()

    def _messages(self) -> Generator[dict[str, Any], None, None]:
        data: list[str] = []
        for line in self._response.iter_lines():
            field, _, value = line.partition(": ")
            if field == "id":
                self._last = value
            elif field == "data":
                data.append(value)
            elif not line and data:
                yield json.loads("\n".join(data))
                data.clear()

    def _connect_again(self) -> httpx.Response:
        until = time.monotonic() + self._patience
        while True:
            try:
                return self._connect(self._last)
            except (NoServer, ApiError) as error:
                passing = isinstance(error, NoServer) or error.code == 503
                if not passing or time.monotonic() > until:
                    raise
            time.sleep(PAUSE)
