"""Executions that run, as they were last written: with many steps, reading one anew at each step would take longest."""

from __future__ import annotations

from sqlite_utils import Database

from flownb.core.frozen import replace
from flownb.core.model import Execution, Status
from flownb.store import aggregate


class AtWork:
    """For the writer alone. Every change is an entry in the journal: what is kept here holds as long as its own entry
    is the latest of its execution, which is looked up in the transaction that relies on it."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, Execution]] = {}

    def load(self, db: Database, execution_id: str) -> Execution | None:
        """The execution as the present transaction sees it."""
        seq, execution = self._known.get(execution_id, (0, None))
        if execution is None or self.latest(db, execution_id) != seq:
            return aggregate.load(db, execution_id)
        return execution

    @staticmethod
    def latest(db: Database, execution_id: str) -> int | None:
        """The number of the latest entry of an execution in the journal."""
        seq: int | None = db.execute("SELECT max(seq) FROM journal WHERE execution = ?", (execution_id,)).fetchone()[0]
        return seq

    def keep(self, seq: int, execution: Execution) -> None:
        """What was written with this entry of the journal; in memory only while the execution runs."""
        if execution.status is Status.RUNNING:
            self._known[execution.id] = seq, replace(execution, past=())
        else:
            self._known.pop(execution.id, None)
