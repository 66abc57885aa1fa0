"""The files that have started workflows, so that none starts one twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flownb.core.deployment import Start
from flownb.core.durations import DAY
from flownb.core.files import TYPE, Stamp, event
from flownb.store import sql
from flownb.store.change import Change
from flownb.store.engine import Database

Key = tuple[str, str]
"""Workflow and path."""

KEPT = 30 * DAY
"""Files that are gone are remembered for so long: a disk that was taken off and put back brings nothing new."""


def known(db: Database) -> dict[Key, tuple[Stamp, bool]]:
    """The files that have started something, and whether each is gone."""
    rows = db.execute("SELECT workflow, path, size, modified_ns, gone_at IS NOT NULL FROM watched_files")
    return {
        (workflow, path): (Stamp(size, modified_ns), bool(gone)) for workflow, path, size, modified_ns, gone in rows
    }


def take(db: Database, key: Key, stamp: Stamp, digest: str, begin: Callable[[Database, Start], Change]) -> list[Change]:
    """Start a workflow because of a file; where it is there with this content already, note its stamp alone.

    Raises ``NoSuchWorkflow`` or ``QueueFull``, and the file is as new as before.
    """
    workflow, path = key
    same = "SELECT digest FROM watched_files WHERE workflow = ? AND path = ? AND gone_at IS NULL"
    before = sql.first_row(db, same, workflow, path)
    row = {"workflow": workflow, "path": path, "size": stamp.size, "modified_ns": stamp.modified_ns, "digest": digest}
    sql.put(db, "watched_files", {**row, "gone_at": None}, ("workflow", "path"))
    if before is not None and before["digest"] == digest:
        return []
    return [begin(db, Start(workflow, {"type": TYPE, "event": event(path, stamp), "by": None}, limited=True))]


def mark(db: Database, gone: Iterable[Key], back: Iterable[Key], now: int) -> None:
    """Note which files are gone, and which of those are there again as they were."""
    for keys, at in ((gone, now), (back, None)):
        for key in keys:
            sql.update(db, "watched_files", {"gone_at": at}, "workflow = ? AND path = ?", *key)
    db.execute("DELETE FROM watched_files WHERE gone_at < ?", (now - KEPT,))
