"""The writer's pen: what is written beside the record itself, signed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from types import MappingProxyType

from flownb.core import events, transitions
from flownb.core.model import Execution
from flownb.store import aggregate, journal, queries, seals
from flownb.store.change import Change
from flownb.store.engine import Database
from flownb.store.keys import Key

NEW = journal.Latest()
NOTHING: Mapping[str, str] = MappingProxyType({})


class Signer:
    """Writes entries of the journal and outputs; for the writer alone."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._known = seals.Known()

    def write(
        self,
        db: Database,
        before: Execution | None,
        after: Execution,
        event: events.Event | None,
        at: int,
        answer: transitions.Answer | None = None,
        latest: journal.Latest = NEW,
        shown: Mapping[str, str] = NOTHING,
    ) -> Change:
        """A change with its entry in the journal, signed over the latest one; ``shown``: the signatures of outputs."""
        left = self._known.begin(db, after.id, latest.mac)
        steps = seals.carried(before, after, left)
        seal = seals.seal(before, after, steps, shown)
        if before is not None and left is None and seals.altered(before, latest.seal):
            seal["altered"] = True
        signing = journal.Signing(self._key, latest.mac or "", seal)
        seq, mac = journal.write(db, before, after, event, at, answer.status if answer else None, signing)
        self._known.left(after.id, seals.Left(mac, steps))
        return Change(seq, journal.name_of(event), at, before, after, answer)

    def save_outputs(self, db: Database, execution_id: str, found: Iterable[queries.StepOutputs]) -> dict[str, str]:
        """What attempts of steps have shown, on disk; returns the signatures by attempt."""
        save = partial(aggregate.save_outputs, db, self._key, execution_id)
        return {one.attempt.id: save(one.attempt, one.outputs) for one in found}
