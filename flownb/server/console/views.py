"""What the console's lists and timelines show, in the words of the API."""

from __future__ import annotations

from typing import Any

from flownb.core.model import Execution, Json, Step
from flownb.core.times import iso
from flownb.server.context import Links
from flownb.server.view import waiting_view
from flownb.store.lists import Listed

NARROWEST = 1.0
"""Of a bar in a timeline, in hundredths of its length."""


def row(listed: Listed, links: Links | None, now: int) -> dict[str, Json]:
    """An execution in a list."""
    begun = listed.started_at or listed.created_at
    return {
        "id": listed.id,
        "workflow": listed.workflow,
        "notebook": listed.notebook,
        "status": listed.status,
        "created_at": iso(listed.created_at),
        "lasted": (listed.finished_at or now) - begun if listed.started_at else None,
        "reason": listed.reason,
        "error": listed.error,
        "replay_of": listed.replay_of,
        "waiting": waiting_view(listed.id, listed.pause, links) if listed.pause is not None else None,
    }


def timeline(execution: Execution, now: int) -> list[dict[str, Any]]:
    """Where each step's latest run lies in the time of the execution: ``x`` and ``width`` in hundredths of it."""
    begun = execution.started_at or execution.created_at
    whole = max(1, (execution.finished_at or now) - begun)

    def bar(step: Step) -> dict[str, Any]:
        if step.started_at is None:
            return {"x": 0.0, "width": 0.0, "lasted": None}
        ended = step.finished_at or now
        width = max(NARROWEST, 100 * (ended - step.started_at) / whole)
        x = min(100 - min(width, 100), 100 * max(0, step.started_at - begun) / whole)
        return {"x": round(x, 2), "width": round(min(width, 100), 2), "lasted": ended - step.started_at}

    return [bar(step) for step in execution.steps]


def entries(journal: list[dict[str, Any]], most: int) -> tuple[list[dict[str, Any]], int]:
    """The latest entries of a journal, newest first, and how many are left out."""
    return journal[: -most - 1 : -1], max(0, len(journal) - most)
