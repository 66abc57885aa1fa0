"""The time of a test: it passes from one timer to the next."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from flownb.testing.server import Server


class Timed(Protocol):
    """What does something at times of its own."""

    def settled(self) -> int | None:
        """Wait until nothing goes on; gives when its next timer is due, in ms since 1970, None where there is none."""

    def passes(self, time: int) -> None:
        """Wait until each timer that was due by then, in milliseconds since 1970, has fired."""


class Timeline:
    """All that one test has on one server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.timed: list[Timed] = []

    def advance(self, **span: float) -> None:
        """Move the server's clock by a span as ``timedelta`` takes it, and stop at each timer on the way."""
        __tracebackhide__ = True
        target = self.server.now() + round(timedelta(**span).total_seconds() * 1000)
        while (due := self._due()) is not None and due <= target:
            self._move_to(due)
            for one in self.timed:
                one.passes(due)
        self._move_to(target)

    def _due(self) -> int | None:
        """When the next timer is due; what is found on the way is asked, too."""
        __tracebackhide__ = True
        return min(filter(None, (one.settled() for one in self.timed)), default=None)

    def _move_to(self, time: int) -> None:
        self.server.advance(milliseconds=max(0, time - self.server.now()))


def milliseconds(time: str | None) -> int | None:
    """A time as the REST API writes it, in milliseconds since 1970."""
    return None if time is None else round(datetime.fromisoformat(time).timestamp() * 1000)
