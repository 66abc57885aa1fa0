"""Times as the widgets show them; they count in whole seconds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from flownb.core.words import in_words, run_counter, span

OUTCOMES = {
    "resumed": "approved",
    "cancelled": "cancelled",
    "accepted": "accepted, and takes effect when the step has ended",
    "approved": "approved, and others are asked still",
    "already_approved": "already approved",
    "already_resumed": "already approved",
    "already_cancelled": "already cancelled",
    "expired": "too late, this pause is over",
    "not_suspended": "it does not wait any more",
    "not_found": "there is no such execution any more",
    "invalid": "not accepted, the data does not fit what is asked for",
}


def left(waiting: Mapping[str, Any], now: datetime) -> str:
    """What counts down: ``run 3 of 11, next in 8 s`` or ``23 h 59 min left``; ``waiting`` as the API shows it."""
    seconds = math.ceil((datetime.fromisoformat(waiting["wakes_at"]) - now).total_seconds())
    if waiting["kind"] in ("rerun", "retry"):
        when = f"next in {whole(seconds)}" if seconds > 0 else "next at any moment"
        return ", ".join(filter(None, [run_counter(waiting), when]))
    return f"{whole(seconds)} left" if seconds > 0 else "due at any moment"


def whole(seconds: float) -> str:
    """A span of time in whole seconds."""
    return f"{seconds:.0f} s" if seconds < 10 else span(timedelta(seconds=seconds))


def clock(at: str, now: datetime) -> str:
    """When something was: ``at 14:05 UTC``, with its day where that is another one."""
    then = datetime.fromisoformat(at).astimezone(UTC)
    return f"at {then:%H:%M} UTC" if then.date() == now.astimezone(UTC).date() else f"on {in_words(at)}"


def outcome(said: Mapping[str, Any], now: datetime) -> str:
    """What came of a decision, as the API answers it: ``already approved by Ana at 14:05 UTC``."""
    status = said.get("status", "")
    if status == "postponed":
        return f"postponed until {in_words(said['at'])}"
    words = OUTCOMES.get(status) or said.get("message") or status
    if not status.startswith("already"):
        return words
    by = f" by {said['by']}" if said.get("by") else ""
    at = f" {clock(said['at'], now)}" if said.get("at") else ""
    return f"{words}{by}{at}"


def present() -> datetime:
    return datetime.now(UTC)
