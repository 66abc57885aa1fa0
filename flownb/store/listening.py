"""Hearing of what other servers have committed, in a thread with a connection of its own."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import psycopg

from flownb.store.engine import DatabaseError

RETRY_SECONDS = 2.0
"""Between two tries to be connected again."""


class Listener:
    """Calls ``heard`` after commits of others, and once connected again: what was told meanwhile is not known."""

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[Any]],
        channel: str,
        is_news: Callable[[str], bool],
        heard: Callable[[], None],
    ) -> None:
        self._connect = connect
        self._channel = channel
        self._is_news = is_news
        self._heard = heard
        self._stopped = threading.Event()
        self._wake, self._waker = os.pipe()
        self._thread = threading.Thread(target=self._run, name="flownb-listener", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Hear no more."""
        self._stopped.set()
        os.write(self._waker, b".")
        self._thread.join()
        os.close(self._wake)
        os.close(self._waker)

    def _run(self) -> None:
        while not self._stopped.is_set():
            with suppress(DatabaseError, psycopg.Error), closing(self._connect()) as connection:
                connection.execute(f"LISTEN {self._channel}")
                self._heard()
                self._listen(connection)
            self._stopped.wait(RETRY_SECONDS)

    def _listen(self, connection: psycopg.Connection[Any]) -> None:
        while True:
            select.select([connection.fileno(), self._wake], [], [])
            if self._stopped.is_set():
                return
            told = [one.payload for one in connection.notifies(timeout=0)]
            if any(map(self._is_news, told)):
                self._heard()
