"""What an execution waits for, in words: the same on the pages, on the command line, in mails and in the inbox."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flownb.core.settings import Quota

SOON = timedelta(minutes=1)
"""What happens within that is not worth a date."""

_AT_TIMEOUT = {
    "resume": ("the workflow continues by itself", " unless cancelled"),
    "cancel": ("the workflow is cancelled", " unless approved"),
    "error": ("the workflow fails", " unless approved"),
}
_BY_ITSELF = {
    "rerun": ("the step runs again by itself", ""),
    "delay": ("the workflow continues by itself", " unless cancelled"),
    "wait": ("the workflow continues by itself", ""),
    "retry": ("the step is tried again", ""),
}


def run_counter(waiting: Mapping[str, Any]) -> str:
    """``run 2 of 4`` for what is to run again, else empty; ``waiting`` as the API shows it."""
    if waiting["max_retries"] is None:
        return f"run {waiting['runs']}" if waiting["runs"] > 1 else ""
    return f"run {waiting['runs']} of {waiting['max_retries'] + 1}"


def approvals_in_words(approvals: Mapping[str, Any]) -> str:
    """``needs 2 approvals, 1 of 2 is there: waiting for bob``; ``approvals`` as the API shows them."""
    given, needed = len(approvals["given"]), approvals["needed"]
    from_ = f": waiting for {', '.join(approvals['silent'])}" if approvals["silent"] else ""
    return f"needs {needed} approval{'s' if needed > 1 else ''}, {given} of {needed} there{from_}"


def otherwise(kind: str | None, on_timeout: str, wakes_at: str | None) -> str:
    """What happens if nobody acts, and when, as a sentence; ``kind`` is None as long as the step still runs."""
    if kind is None or wakes_at is None:
        return "The step is still running; it pauses when it ends."
    outcome, unless = _outcome(kind, on_timeout)
    return f"{outcome[0].upper()}{outcome[1:]} on {in_words(wakes_at)}{unless}."


def deadline(waiting: Mapping[str, Any], now: datetime) -> str:
    """As ``otherwise``, with the time that is left; ``now`` with its time zone, which is also the one that is shown."""
    outcome, unless = _outcome(waiting["kind"], waiting["on_timeout"])
    at = datetime.fromisoformat(waiting["wakes_at"])
    when = f" ({in_words(waiting['wakes_at'], now)})" if at - now > SOON else ""
    return f"{outcome} in {span(at - now)}{when}{unless}"


def in_words(at: str, like: datetime | None = None) -> str:
    """A time of the API as people read it, ``Tue 24 Nov 2026, 14:00 UTC``, or in the time zone of ``like``."""
    return f"{datetime.fromisoformat(at).astimezone(like.tzinfo if like else UTC):%a %d %b %Y, %H:%M %Z}"


def recurrence(schedule: Mapping[str, Any]) -> str:
    """When a schedule of the API starts its workflow: ``0 9 * * MON-FRI (Europe/Berlin)``, ``every 5 min``."""
    if schedule["every"] is not None:
        return f"every {span(timedelta(milliseconds=schedule['every']))}"
    return f"{schedule['cron']} ({schedule['timezone']})"


def limits(quota: Quota) -> str:
    """How much of a workflow runs: ``2 at once, 10 in 1 min, 100 waiting``; empty where it has no limits."""
    per = span(timedelta(milliseconds=quota.per))
    said = ((quota.running, "at once"), (quota.most, f"in {per}"), (quota.queued, "waiting"))
    return ", ".join(f"{count:,} {what}" for count, what in said if count is not None)


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


def _outcome(kind: str, on_timeout: str) -> tuple[str, str]:
    return _BY_ITSELF.get(kind) or _AT_TIMEOUT[on_timeout]
