"""Makes metrics of the changes of executions."""

from __future__ import annotations

from flownb.core.events import Admitted, StepFailed, StepFinished, StepStarted, TimerFired
from flownb.core.model import Execution, Status
from flownb.core.transitions import due_at
from flownb.server.clock import Clock
from flownb.server.observing import metrics
from flownb.store.store import Change

ATTEMPT_ENDED = {StepFinished.__name__: "finished", StepFailed.__name__: "failed"}


class Measuring:
    """Hears of every change; of what waits it keeps since when, and forgets that when it goes on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._queued: dict[str, int] = {}
        self._woken: dict[str, int] = {}

    def oldest(self) -> float:
        """Seconds for which the execution waits for a slot that has waited longest since this server began."""
        first = next(iter(self._queued.values()), None)
        return 0.0 if first is None else max(0, self._clock.now() - first) / 1000

    def hear(self, change: Change) -> None:
        """A listener of the store."""
        before, after = change.before, change.after
        if before is None:
            trigger = after.trigger.get("type") if isinstance(after.trigger, dict) else None
            metrics.STARTED.labels(str(trigger or "api")).inc()
        self._queue(change)
        self._resume(change)
        if before is not None and (outcome := ATTEMPT_ENDED.get(change.event)):
            metrics.ATTEMPTS.labels(outcome).inc()
            metrics.COMPUTE.inc(max(0, after.compute_ms - before.compute_ms) / 1000)
            self._checkpoint(before, after)
        if after.status.final and (before is None or not before.status.final):
            metrics.ENDED.labels(str(after.status)).inc()

    def _queue(self, change: Change) -> None:
        if change.after.status is Status.QUEUED:
            self._queued.setdefault(change.after.id, change.at)
        elif (since := self._queued.pop(change.after.id, None)) is not None and change.event == Admitted.__name__:
            metrics.WAITED.observe((change.at - since) / 1000)

    def _resume(self, change: Change) -> None:
        before, after = change.before, change.after
        if before is not None and before.status is Status.SUSPENDED and after.status is Status.QUEUED:
            self._woken[after.id] = change.at
            due = due_at(before)
            if change.event == TimerFired.__name__ and due is not None:
                metrics.LATE.observe(max(0, change.at - due) / 1000)
        elif after.status is not Status.RUNNING and after.status is not Status.QUEUED:
            self._woken.pop(after.id, None)
        elif change.event == StepStarted.__name__ and (since := self._woken.pop(after.id, None)) is not None:
            metrics.RESUMED.observe((change.at - since) / 1000)

    def _checkpoint(self, before: Execution, after: Execution) -> None:
        if after.checkpoint is not None and after.checkpoint != before.checkpoint and after.checkpoint.file:
            metrics.SNAPSHOTS.inc(after.checkpoint.size)
