"""Executions that run, as they were last written: with many steps, reading one anew at each step would take longest."""

from __future__ import annotations

from flownb.core.frozen import replace
from flownb.core.model import Execution, Status
from flownb.store import aggregate
from flownb.store.engine import Database


class AtWork:
    """For the writer alone. Every change is an entry in the journal: what is kept here holds as long as its own entry
    is the latest of its execution, which is looked up in the transaction that relies on it."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, Execution]] = {}

    def load(self, db: Database, execution_id: str, latest: int) -> Execution | None:
        """The execution as the present transaction sees it, in which this is the number of its latest entry."""
        seq, execution = self._known.get(execution_id, (0, None))
        return execution if execution is not None and latest == seq else aggregate.load(db, execution_id)

    def keep(self, seq: int, execution: Execution) -> None:
        """What was written with this entry of the journal; in memory only while the execution runs."""
        if execution.status is Status.RUNNING:
            self._known[execution.id] = seq, replace(execution, past=())
        else:
            self._known.pop(execution.id, None)
