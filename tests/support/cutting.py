"""A line to a server of this machine that breaks: the first connections end after so many bytes each way."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

PIECE = 4096


class Cutting:
    """Forwards connections to ``to``; each of the first ``cuts`` ends after ``after`` bytes. ``sent`` counts all."""

    def __init__(self, to: int, cuts: int, after: int) -> None:
        self._to = to
        self._cuts = cuts
        self._after = after
        self.sent = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                ours, _ = self._listening.accept()
                theirs = socket.create_connection(("127.0.0.1", self._to))
                left = [self._after if self._cuts > 0 else 1 << 62]
                self._cuts -= 1
                self._threads.append(threading.Thread(target=self._both_ways, args=(ours, theirs, left)))
                self._threads[-1].start()

    def _both_ways(self, ours: socket.socket, theirs: socket.socket, left: list[int]) -> None:
        with ours, theirs:
            back = threading.Thread(target=self._forward, args=(theirs, ours, left))
            back.start()
            self._forward(ours, theirs, left)
            back.join()

    def _forward(self, one: socket.socket, other: socket.socket, left: list[int]) -> None:
        with suppress(OSError):
            while left[0] > 0 and (piece := one.recv(PIECE)):
                left[0] -= len(piece)
                self.sent += len(piece)
                other.sendall(piece)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
