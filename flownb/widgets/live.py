"""What the widgets of a kernel share for one server: a client, and two threads that tell the widgets of changes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Set
from typing import Protocol
from weakref import WeakSet, WeakValueDictionary

from flownb.client import ApiError, Client, NoServer, find
from flownb.client.events import Events

log = logging.getLogger("flownb")

CALM = 0.3
"""Seconds between two rounds of telling: what changes within that is told once."""

TICK = 1.0
"""Seconds between two ticks, for what counts down."""

AGAIN = 1.0
"""Seconds between two tries to reach a server that does not answer."""

REFUSED = 30.0
"""Seconds between two tries where something is wrong that does not pass by itself."""

Changed = Set[str] | None
"""The ids of executions that changed; None where any may have."""


class Watcher(Protocol):
    """Who is told."""

    @property
    def counting(self) -> bool:
        """Whether it shows something that counts down or up, so that it wants to hear of time."""

    def heard(self, changed: Changed) -> None:
        """The server answers or ceases to, or executions changed."""

    def tick(self) -> None:
        """A second has passed."""


class Live:
    """The server at ``url``, or the one that ``find`` finds, for as long as somebody watches.

    One thread reads the server's events and stays trying while there is no server; the other tells the watchers, so
    that a burst of events is one round. Both end when nobody watches any more.
    """

    def __init__(self, url: str | None, token: str | None) -> None:
        self._where = (url, token)
        self._finding = threading.Lock()
        self._client: Client | None = None
        self._lock = threading.RLock()  # a widget that is collected as garbage leaves at any moment
        self._watchers: WeakSet[Watcher] = WeakSet()
        self._watch: _Watch | None = None

    def client(self) -> Client:
        """The server's client; raises as ``find`` does."""
        with self._finding:
            if self._client is None:
                self._client = find(*self._where)
            return self._client

    def lost(self, client: Client) -> None:
        """It did not answer: the server may be back at another address, and is looked for at the next call."""
        with self._finding:
            if self._client is client:
                self._client = None
                client.close()

    def add(self, watcher: Watcher) -> None:
        """From now on it is told."""
        with self._lock:
            self._watchers.add(watcher)
            if self._watch is None:
                self._watch = _Watch(self)

    def remove(self, watcher: Watcher) -> None:
        """It is told no more."""
        with self._lock:
            self._watchers.discard(watcher)
            if self._watchers or self._watch is None:
                return
            self._watch.end()
            self._watch = None

    def rest(self) -> None:
        """Hang up where nobody watches any more."""
        client = self._client
        if self._watch is None and client is not None:
            self.lost(client)

    def watchers(self) -> list[Watcher]:
        """Who is to be told."""
        with self._lock:
            return list(self._watchers)

    def look(self) -> None:
        """A watcher has something to count now."""
        if (watch := self._watch) is not None:
            watch.tell(frozenset())


class _Watch:
    """The two threads, from the first watcher to the last one's leave."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._ended = threading.Event()
        self._news = threading.Event()
        self._lock = threading.Lock()
        self._changed: set[str] | None = set()
        self._stream: Events | None = None
        self._telling = threading.Thread(target=self._pass_on, name="flownb-widgets", daemon=True)
        self._telling.start()
        threading.Thread(target=self._work, name="flownb-events", daemon=True).start()

    def end(self) -> None:
        self._ended.set()
        self._news.set()
        if (stream := self._stream) is not None:
            stream.stop()

    def tell(self, changed: Changed) -> None:
        with self._lock:
            self._changed = None if changed is None or self._changed is None else self._changed | changed
        self._news.set()

    def _work(self) -> None:
        self._listen()
        self._telling.join()
        self._live.rest()  # a connection that is closed while somebody makes it would stay open

    def _listen(self) -> None:
        answers = True
        while not self._ended.is_set():
            client = None
            try:
                client = self._live.client()
                with client.events(patience=0) as self._stream:
                    answers = True
                    self.tell(None)  # of what happened while nobody listened
                    for change in () if self._ended.is_set() else self._stream:
                        self.tell({change["execution"]})
            except Exception as error:  # whatever it is, it is tried again; the widgets say what is wrong
                if client is not None:
                    self._live.lost(client)
                if answers:
                    self.tell(None)
                answers = False
                self._ended.wait(AGAIN if passing(error) else REFUSED)

    def _pass_on(self) -> None:
        while not self._ended.is_set():
            counting = any(watcher.counting for watcher in self._live.watchers())
            if self._news.wait(TICK if counting else None):
                self._tell_all()
                self._ended.wait(CALM)
            self._each(lambda watcher: watcher.tick())

    def _tell_all(self) -> None:
        self._news.clear()
        with self._lock:
            changed, self._changed = self._changed, set()
        self._each(lambda watcher: watcher.heard(changed))

    def _each(self, told: Callable[[Watcher], None]) -> None:
        for watcher in self._live.watchers():
            try:
                told(watcher)
            except Exception:  # of one that is being closed, say: the others are told all the same
                log.exception("a widget could not show a change")


def passing(error: Exception) -> bool:
    """Whether a server may answer soon by itself."""
    return isinstance(error, NoServer) or (isinstance(error, ApiError) and error.code == 503)


_known: WeakValueDictionary[tuple[str | None, str | None], Live] = WeakValueDictionary()
_knowing = threading.Lock()


def shared(url: str | None, token: str | None) -> Live:
    """The one for this server in this process."""
    with _knowing:
        live = _known.get((url, token))
        if live is None:
            live = _known[url, token] = Live(url, token)
        return live
