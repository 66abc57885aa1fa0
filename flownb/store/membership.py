"""A server among several on one store: it says that it lives, and learns who else does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from flownb.store import servers
from flownb.store.engine import ERRORS, Connection

BEATS = 5
"""Signs of life in the span after which a server without any counts as gone."""


@dataclass(frozen=True)
class Members:
    """The servers at work, by their numbers; the first of them is the oldest."""

    numbers: tuple[int, ...]
    own: int

    @property
    def leads(self) -> bool:
        """Whether this server does what only one is to do."""
        return self.numbers[:1] == (self.own,)


class Membership:
    """A thread that beats, on a connection of its own: what else the server does cannot hold it up.

    Whoever gives no sign for ``lease`` seconds is taken off the list by the others, by the database's clock. A server
    that cannot reach the database for that long counts itself as gone, so that its cells end about when others begin.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        own: int,
        lease: float,
        changed: Callable[[Members], None],
        lost: Callable[[], None],
    ) -> None:
        """``changed`` hears of the members at the beginning and of every change; both are called in the thread."""
        self._connect = connect
        self._own = own
        self._lease = lease
        self._changed = changed
        self._lost = lost
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="flownb-membership", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Blocks until the thread has ended."""
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        known: tuple[int, ...] = ()
        alive = time.monotonic()
        db: Connection | None = None
        while not self._stop.is_set():
            try:
                db = db or self._connect()
                numbers = servers.beat(db, self._own, self._lease)
                alive = time.monotonic()
            except ERRORS:
                numbers = known  # of the database nothing is heard: what counts is for how long
                _close(db)
                db = None
            if (numbers and self._own not in numbers) or time.monotonic() - alive > self._lease:
                self._lost()
                break
            if numbers != known:
                known = numbers
                self._changed(Members(numbers, self._own))
            self._stop.wait(self._lease / BEATS)
        _close(db)


def _close(db: Connection | None) -> None:
    if db is not None:
        db.close()
