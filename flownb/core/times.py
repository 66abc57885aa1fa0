"""Time as the world writes it."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(at: int | None) -> str | None:
    """ISO 8601 in UTC with milliseconds, as the API shows times."""
    if at is None:
        return None
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
