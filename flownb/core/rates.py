"""How often each of many may come: the generic cell rate algorithm, with one number for each of them."""

from __future__ import annotations

from collections import OrderedDict

AT_ONCE_SECONDS = 10
"""So many seconds' worth may come at once, by whoever has not come for long."""

MOST = 10_000
"""So many are known; of more, those that have not come for the longest are forgotten."""


class Rates:
    """At most ``a_second`` requests a second of each; 0 for no limit."""

    def __init__(self, a_second: float) -> None:
        self._gap = 1000 / a_second if a_second else 0.0
        self._early = max(self._gap, 1000.0 * AT_ONCE_SECONDS)
        self._due: OrderedDict[object, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._due)

    def wait(self, who: object, now: int) -> int:
        """How many ms it takes until ``who`` may come again; 0 for at once, which counts. ``now`` in ms."""
        if not self._gap:
            return 0
        # Not before `now`, where they come seldom, nor long after it, where the clock was put back.
        due = min(max(self._due.get(who, 0.0), now), now + self._early) + self._gap
        if (over := due - now - self._early) > 0:
            return int(over) + 1
        self._due[who] = due
        self._due.move_to_end(who)
        if len(self._due) > MOST:
            self._due.popitem(last=False)
        return 0
