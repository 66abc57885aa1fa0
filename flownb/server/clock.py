"""The one clock: everything that needs the time is given it."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

LONGEST_SLEEP = 30.0
"""Seconds at a stretch: asyncio's own time stops while a machine sleeps and knows nothing of a clock that is set."""


class Clock:
    """Absolute time in UTC. Tests run a server with one whose time they move."""

    def now(self) -> int:
        """Milliseconds since 1970; called from several threads."""
        return time.time_ns() // 1_000_000

    async def sleep(self, until: int | None, woken: asyncio.Event) -> None:
        """Sleep until the time ``until`` or until ``woken``, and never longer than ``LONGEST_SLEEP``."""
        seconds = LONGEST_SLEEP if until is None else (until - self.now()) / 1000
        with suppress(TimeoutError):
            await asyncio.wait_for(woken.wait(), max(0.0, min(seconds, LONGEST_SLEEP)))
