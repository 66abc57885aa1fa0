"""The bill as a page: totals of days and workflows, with the credits of the latest days as bars."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core.errors import InvalidValue
from flownb.core.times import day
from flownb.server.api_usage import demand_day
from flownb.server.console.handler import ConsoleHandler
from flownb.store import lists, usage
from flownb.store.usage import By, Period

DAYS = 30
"""Days that are shown, unless others are asked for."""

MOST = 366
"""Days and workflows that are shown at most."""


@dataclass(frozen=True)
class Bar:
    """A day in the chart: its place and size in hundredths of the chart's height and in widths of a bar."""

    day: str
    credits: int
    x: int
    y: float
    height: float


class UsageHandler(ConsoleHandler):
    """What was used."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        since, until = self._days()
        period = Period(since, until, self.wanted("workflow"))
        read = self.active.store.read
        days = await read(partial(usage.table, by=By.DAY, period=period, limit=MOST))
        await self.show(
            "usage.html",
            period=period,
            bars=bars(days, since, until),
            days=days,
            used=await read(partial(usage.table, by=By.WORKFLOW, period=period, limit=MOST)),
            total=await read(partial(usage.total, period=period)),
            workflows=await read(lists.names),
        )

    def _days(self) -> tuple[str, str]:
        """The first and the last day."""
        until = self.wanted("until") or day(self.now)
        demand_day("until", until)
        since = self.wanted("since") or (date.fromisoformat(until) - timedelta(days=DAYS - 1)).isoformat()
        demand_day("since", since)
        if not 0 <= (date.fromisoformat(until) - date.fromisoformat(since)).days < MOST:
            raise InvalidValue(f"the last day comes after the first, and there are {MOST} of them at most")
        return since, until


def bars(days: list[dict[str, Any]], since: str, until: str) -> list[Bar]:
    """One for each day of a period, also for those on which nothing ran."""
    credits = {row["day"]: row["credits"] for row in days}
    most = max(credits.values(), default=1)
    first, last = date.fromisoformat(since), date.fromisoformat(until)
    every = [(first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1)]
    heights = [round(100 * credits.get(one, 0) / most, 2) for one in every]
    return [
        Bar(one, credits.get(one, 0), x, round(100 - height, 2), height)
        for x, (one, height) in enumerate(zip(every, heights, strict=True))
    ]
