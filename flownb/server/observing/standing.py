"""How many executions there are that are not over, by status and kind of pause, without asking the store each time."""

from __future__ import annotations

from collections import Counter

from flownb.core.model import Execution, Status
from flownb.store import queries
from flownb.store.store import Change, Store

Key = tuple[str, str]
"""A status, and the kind of pause of what is suspended."""


class Standing:
    """Counts, right once ``begin`` has counted what was there; changes that come meanwhile are kept for then."""

    def __init__(self) -> None:
        self.counts: Counter[Key] = Counter()
        self._meanwhile: list[tuple[int, Key | None, Key | None]] | None = []

    async def begin(self, store: Store) -> None:
        """Count; changes are to be heard of before."""
        found, seq = await store.read(queries.unfinished)
        self.counts.update(found)
        meanwhile, self._meanwhile = self._meanwhile or [], None
        for number, before, after in meanwhile:
            if number > seq:
                self._move(before, after)

    def hear(self, change: Change) -> None:
        """A listener of the store."""
        before, after = _key(change.before), _key(change.after)
        if before == after:
            return
        if self._meanwhile is None:
            self._move(before, after)
        else:
            self._meanwhile.append((change.seq, before, after))

    def _move(self, before: Key | None, after: Key | None) -> None:
        if before is not None:
            self.counts[before] -= 1
        if after is not None:
            self.counts[after] += 1


def _key(execution: Execution | None) -> Key | None:
    if execution is None or execution.status.final:
        return None
    waits = execution.status is Status.SUSPENDED and execution.pause is not None
    return str(execution.status), str(execution.pause.kind) if waits and execution.pause else ""
