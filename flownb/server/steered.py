"""A clock that tests move: `c.FlowNB.clock_class` of a server that is there for them alone."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from pathlib import Path

from flownb.server.clock import Clock

ADDRESS = "FLOWNB_TEST_CLOCK"
"""Where in the environment the path of the socket stands."""


class SteeredClock(Clock):
    """The system's clock, ahead or behind by what came in over a socket; whoever sleeps looks again when it moves."""

    def __init__(self) -> None:
        self._ahead = 0
        self._sleepers: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        Path(os.environ[ADDRESS]).unlink(missing_ok=True)
        self._socket.bind(os.environ[ADDRESS])
        threading.Thread(target=self._listen, daemon=True).start()

    def now(self) -> int:
        return super().now() + self._ahead

    async def sleep(self, until: int | None, woken: asyncio.Event) -> None:
        self._sleepers[woken] = asyncio.get_running_loop()
        await super().sleep(until, woken)

    def _listen(self) -> None:
        while True:
            told, sender = self._socket.recvfrom(64)
            self._ahead = int(told)
            for woken, loop in tuple(self._sleepers.items()):
                loop.call_soon_threadsafe(woken.set)
            self._socket.sendto(b"moved", sender)
