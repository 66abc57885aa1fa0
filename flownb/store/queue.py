"""Who gets a free slot: what was woken before what is new, workflows in turn, each in the order of arrival."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from flownb.core.settings import Quota
from flownb.store import servers
from flownb.store.engine import Database

WOKEN, NEW = 0, 1
"""As the index has them: whether an execution has no segment yet."""

QuotaOf = Callable[[Database, str, str], Quota]
"""The limits of a workflow, by its name and the version that its next execution is pinned to."""


@dataclass
class Turn:
    """Where the last round ended, of what was woken and of what is new: the next one begins behind it."""

    after: list[str] = field(default_factory=lambda: ["", ""])


@dataclass(frozen=True)
class Chosen:
    """Executions to admit, in this order, and when some may be that a limit on starts keeps back."""

    executions: list[str]
    next_at: int | None


def choose(
    db: Database,
    free: int,
    now: int,
    turn: Turn,
    running: Mapping[str, str],
    quota_of: QuotaOf,
) -> Chosen:
    """What is to have the ``free`` slots; ``running`` are executions that hold one here, with their workflows."""
    lanes = _Lanes(db, now, running, quota_of)
    chosen: list[str] = []
    for kind in (WOKEN, NEW):
        open_lanes = lanes.of(kind, turn.after[kind])
        while len(chosen) < free:
            taken: list[tuple[str, Iterator[str]]] = []
            for workflow, lane in open_lanes:
                if (execution := next(lane, None)) is None:
                    continue
                chosen.append(execution)
                turn.after[kind] = workflow
                taken.append((workflow, lane))
                if len(chosen) == free:
                    break
            if not taken:
                break
            open_lanes = iter(taken)
    return Chosen(chosen, lanes.next_at)


class _Lanes:
    """The queues of all workflows, and how much of each may go on now."""

    def __init__(self, db: Database, now: int, running: Mapping[str, str], quota_of: QuotaOf) -> None:
        self._db = db
        self._now = now
        self._running = running
        self._taken: Counter[str] = Counter()
        self._quota_of = quota_of
        self.next_at: int | None = None

    def of(self, kind: int, after: str) -> Iterator[tuple[str, Iterator[str]]]:
        """Workflows that have something queued, those behind ``after`` first, each with its executions that may go."""
        for low, high in ((after, None), ("", after)):
            name = low
            while (found := self._following(kind, name)) is not None and (high is None or found <= high):
                yield found, self._lane(kind, found)
                name = found

    def _following(self, kind: int, name: str) -> str | None:
        following = """SELECT workflow FROM executions INDEXED BY executions_queue
                       WHERE status = 'queued' AND CAST(segments = 0 AS INTEGER) = ? AND workflow > ?
                       ORDER BY workflow LIMIT 1"""
        row = self._db.execute(following, (kind, name)).fetchone()
        return row[0] if row else None

    def _lane(self, kind: int, workflow: str) -> Iterator[str]:
        waiting = """SELECT id, version FROM executions INDEXED BY executions_queue
                     WHERE status = 'queued' AND CAST(segments = 0 AS INTEGER) = ? AND workflow = ? ORDER BY seq"""
        room: int | None = None
        for execution, version in self._db.execute(waiting, (kind, workflow)):
            if execution in self._running:
                continue
            quota = self._quota_of(self._db, workflow, version)
            if quota.running is not None and self._busy(workflow) >= quota.running:
                return
            if kind == NEW and quota.most is not None:
                room = self._room(workflow, quota, quota.most) if room is None else room - 1
                if room <= 0:
                    return
            self._taken[workflow] += 1
            yield execution

    def _busy(self, workflow: str) -> int:
        """How many run: here, with those whose end is on record a moment before their slot is free, and elsewhere."""
        here = {execution for execution, name in self._running.items() if name == workflow}
        return len(here.union(servers.running(self._db, workflow))) + self._taken[workflow]

    def _room(self, workflow: str, quota: Quota, most: int) -> int:
        """How many may begin now, of at most so many in any window; notes when the next one may where none does."""
        begun = """SELECT started_at FROM executions INDEXED BY executions_started
                   WHERE workflow = ? AND started_at > ? ORDER BY started_at DESC LIMIT ?"""
        times = [row[0] for row in self._db.execute(begun, (workflow, self._now - quota.per, most))]
        if len(times) == most:
            at = times[-1] + quota.per
            self.next_at = at if self.next_at is None else min(at, self.next_at)
        return most - len(times)
