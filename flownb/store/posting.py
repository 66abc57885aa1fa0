"""Messages to people are put on disk in the transaction of what they tell of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flownb.core.failures import failure
from flownb.core.frozen import replace
from flownb.core.model import Json
from flownb.store import failures, outbox
from flownb.store.change import Change, Post
from flownb.store.engine import Database

Alarm = Callable[[Change, int], Sequence[outbox.Message]]
"""What people are told of a failure; so many of the same error were held back before it."""


@dataclass(frozen=True)
class Posting:
    """Who writes the messages."""

    post: Post
    alarm: Alarm

    def posted(self, db: Database, change: Change, mails: Sequence[Json]) -> Change:
        """The change, with its messages in the outbox; a failure is noted, and told of once a day."""
        messages = list(self.post(change, mails))
        failed = failure(change.before, change.after)
        if failed is not None:
            held = failures.held_back(db, failed)
            alarms = self.alarm(change, held) if held is not None else ()
            failures.put(db, failed, told=bool(alarms))
            messages += alarms
        for message in messages:
            outbox.put(db, message)
        return replace(change, posted=True) if messages else change
