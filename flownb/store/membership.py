"""A server among several on one store: it says that it lives, and learns who else does, and when they commit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from flownb.store import servers
from flownb.store.engine import ERRORS, Listening

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
    """A thread with a connection of its own: what else the server does cannot hold it up.

    Whoever gives no sign for ``lease`` seconds is taken off the list by the others, by the database's clock. A server
    that cannot reach the database for that long counts itself as gone, so that its cells end about when others begin.
    """

    def __init__(
        self,
        connect: Callable[[], Listening],
        own: int,
        lease: float,
        changed: Callable[[Members], None],
        heard: Callable[[], None],
        lost: Callable[[], None],
    ) -> None:
        """``changed`` hears of the members at the beginning and of every change, ``heard`` is called when somebody has
        committed, ``lost`` once where this server counts as gone; all are called in the thread."""
        self._connect = connect
        self._own = own
        self._lease = lease
        self._changed = changed
        self._heard = heard
        self._lost = lost
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._live, name="flownb-membership", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def ends(self) -> None:
        """No more beats; the thread notices with the next commit, or the next beat."""
        self._ends.set()

    def join(self) -> None:
        """Wait until the thread has ended."""
        self._thread.join()

    def _live(self) -> None:
        known: tuple[int, ...] = ()
        alive = time.monotonic()
        db: Listening | None = None
        while not self._ends.is_set():
            try:
                db = db or self._connect()
                numbers = servers.beat(db, self._own, self._lease)
                alive = time.monotonic()
                if self._own not in numbers:
                    break
                if numbers != known:
                    known = numbers
                    self._changed(Members(numbers, self._own))
                self._listen(db, alive + self._lease / BEATS)
            except ERRORS:
                _close(db)
                db = None
                if time.monotonic() - alive > self._lease:
                    break
                self._ends.wait(self._lease / BEATS)
                self._heard()  # what was committed meanwhile
        if not self._ends.is_set():
            self._lost()
        _close(db)

    def _listen(self, db: Listening, until: float) -> None:
        """Hear of commits until it is time for the next beat."""
        while (left := until - time.monotonic()) > 0 and not self._ends.is_set():
            if db.wait(left):
                self._heard()


def _close(db: Listening | None) -> None:
    if db is not None:
        db.close()
