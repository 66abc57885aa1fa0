"""What an execution waits for, in words; the same on the command line and in the inbox."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

SOON = timedelta(minutes=1)
"""What happens within that is not worth a date."""

_OUTCOMES = {
    "resume": "the workflow goes on without an answer",
    "cancel": "the workflow is cancelled",
    "error": "the workflow fails",
}
_BY_ITSELF = {
    "rerun": "the step runs again",
    "delay": "the workflow goes on",
    "retry": "the step is tried again",
}


def run_counter(waiting: Mapping[str, Any]) -> str:
    """``run 2 of 4`` for what is to run again, else empty."""
    if waiting["max_retries"] is None:
        return f"run {waiting['runs']}" if waiting["runs"] > 1 else ""
    return f"run {waiting['runs']} of {waiting['max_retries'] + 1}"


def deadline(waiting: Mapping[str, Any], now: datetime) -> str:
    """What happens if nobody acts, and when; ``now`` with its time zone, which is also the one that is shown."""
    outcome = _BY_ITSELF.get(waiting["kind"]) or _OUTCOMES[waiting["on_timeout"]]
    at = datetime.fromisoformat(waiting["wakes_at"]).astimezone(now.tzinfo)
    when = f" ({at:%a %d %b %Y, %H:%M:%S %Z})" if at - now > SOON else ""
    return f"{outcome} in {span(at - now)}{when}"


def span(length: timedelta) -> str:
    """A span of time as people say it, in its two largest units: ``23 h 59 min``, ``4.2 s``, ``7 ms``."""
    exactly = max(0.0, length.total_seconds())
    if exactly < 1:
        return f"{exactly * 1000:.0f} ms"
    if exactly < 10:
        return f"{exactly:.1f} s"
    seconds = round(exactly)
    units = ((seconds // 86_400, "d"), (seconds // 3_600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s"))
    first = next(place for place, (count, _) in enumerate(units) if count)
    return " ".join(f"{count} {unit}" for count, unit in units[first : first + 2] if count)
