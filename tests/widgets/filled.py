"""Hundreds of executions that wait, written by the store's own functions; and people who may only look."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_server.auth import Authorizer

from flownb.core import events, transitions
from flownb.core.model import Checkpoint, Execution, PauseKind, Step
from flownb.store import aggregate
from flownb.store.folder import DataFolder
from flownb.store.sqlite import open_database
from tests.support.notebooks import notebook

DAY = 86_400_000


class ReadOnly(Authorizer):
    """Everybody may read, nobody may write."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        return action == "read"


def fill(root: Path, count: int) -> Path:
    """Write so many executions that wait, of two workflows, the newest last."""
    folder = DataFolder(root / ".flownb")
    folder.make()
    db = open_database(folder.database, "WAL")
    now = round(time.time() * 1000)
    with db.conn:
        db.table("versions").insert({"version": "v1", "content": json.dumps(notebook()), "created_at": now})
        for number in range(count):
            workflow = f"{'even' if number % 2 == 0 else 'odd'}.ipynb"
            execution = Execution(
                id=f"{number:016x}",
                workflow=workflow,
                notebook=workflow,
                version="v1",
                trigger={"type": "api", "event": {"body": None}},
                created_at=now,
                steps=(Step("ask", "cell-ask"),),
            )
            pause = events.PauseCall(PauseKind.SUSPEND, DAY, reason=f"Is {number} right?")
            finished = events.StepFinished({}, Checkpoint(None, why="a test keeps none"), 10, (pause,))
            for event in (events.Admitted(), events.StepStarted(), finished):
                execution = transitions.apply(execution, event, now).execution
            aggregate.insert(db, execution)
            aggregate.save(db, replace(execution, pause=None, past=()), execution)
    db.close()
    return root
