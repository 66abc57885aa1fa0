"""What other servers on the same store have committed, as this one's listeners hear of it."""

from __future__ import annotations

from flownb.store import aggregate, queries
from flownb.store.change import Change
from flownb.store.engine import Database

PAGE = 500


class Elsewhere:
    """Follows the journal, whose order is that of the commits, and leaves out what this server wrote itself."""

    def __init__(self, after: int) -> None:
        self._seen = after
        self._own: set[int] = set()

    def wrote(self, seq: int) -> None:
        """An entry is this server's own."""
        if seq > self._seen:
            self._own.add(seq)

    def read(self, db: Database) -> tuple[list[Change], bool]:
        """The next changes, each with its execution as it is now, and whether there may be more.

        Of what came before nothing is said, and messages may have been posted with any of them.
        """
        page = queries.journal(db, self._seen, PAGE)
        changes = []
        for entry in page:
            self._seen = entry["seq"]
            if self._seen in self._own:
                self._own.discard(self._seen)
            elif (after := aggregate.load(db, entry["execution"])) is not None:
                changes.append(Change(self._seen, entry["event"], entry["at"], None, after, posted=True))
        return changes, len(page) == PAGE
