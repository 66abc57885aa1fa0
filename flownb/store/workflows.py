"""The workflows of versions on disk, parsed once: a version never changes."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict

from flownb.core.jsonvalue import dumps
from flownb.core.model import Json
from flownb.core.notebook import Workflow, workflow
from flownb.store import sql
from flownb.store.engine import Database

MOST = 200


class Workflows:
    """For the writer and all readers; called in any thread."""

    def __init__(self) -> None:
        self._parsed: OrderedDict[str, Workflow] = OrderedDict()
        self._lock = threading.Lock()

    def parsed(self, version: str) -> Workflow | None:
        """The workflow of a version that was asked for before."""
        with self._lock:
            return self._parsed.get(version)

    def find(self, db: Database, version: str) -> Workflow | None:
        """The workflow of a version; None where nothing is pinned to it."""
        found = self.parsed(version)
        if found is None:
            row = sql.first_row(db, "SELECT content FROM versions WHERE version = ?", version)
            found = workflow(json.loads(row["content"])) if row else None
        if found is not None:
            with self._lock:
                self._parsed[version] = found
                if len(self._parsed) > MOST:
                    self._parsed.popitem(last=False)
        return found


def put(db: Database, version: str, content: Json, now: int) -> None:
    """Keep the notebook of a version, unless it is known."""
    db.execute("INSERT INTO versions VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (version, dumps(content), now))


def drop_unused(db: Database, version: str) -> None:
    """Forget a version that neither an execution nor a deployment is pinned to."""
    db.execute(
        """DELETE FROM versions WHERE version = ?
           AND NOT EXISTS (SELECT 1 FROM executions WHERE version = ?)
           AND NOT EXISTS (SELECT 1 FROM deployed WHERE version = ?)""",
        (version,) * 3,
    )
