"""Those who hear of changes, once they are committed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flownb.store.change import Change

Listener = Callable[[Change], None]


class Hearing:
    """Listeners are called on the event loop, in the order of the commits, and must return at once."""

    def __init__(self) -> None:
        self._here: list[Listener] = []
        self._everywhere: list[Listener] = []

    def add(self, listener: Listener, *, everywhere: bool) -> Callable[[], None]:
        """Have a listener hear of what this server changes, or ``everywhere``; returns how to stop that."""
        (self._everywhere if everywhere else self._here).append(listener)
        return lambda: (self._everywhere if everywhere else self._here).remove(listener)

    def tell(self, change: Change | None) -> None:
        """A change of this server's, and what it has led to, unless nothing has changed."""
        if change is not None and change.before is not change.after:
            for listener in [*self._here, *self._everywhere]:
                listener(change)
            self.tell_all(change.led_to)

    def tell_all(self, changes: Iterable[Change] | None) -> None:
        """One after the other."""
        for change in changes or ():
            self.tell(change)

    def tell_of_others(self, changes: Iterable[Change]) -> None:
        """What other servers have changed."""
        for change in changes:
            for listener in list(self._everywhere):
                listener(change)
