"""Time as the world writes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(at: int | None) -> str | None:
    """ISO 8601 in UTC with milliseconds, as the API shows times."""
    if at is None:
        return None
    return (_EPOCH + timedelta(milliseconds=at)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def day(at: int) -> str:
    """The day in UTC, as ``2026-11-23``."""
    return (_EPOCH + timedelta(milliseconds=at)).date().isoformat()
