"""When a schedule is due, what it starts then, and what becomes of times that passed without a server.

**every**: a fixed grid of real time that begins with the deployment; no clock change moves it.

**cron**, in its time zone, as Debian's cron has it (the rules are those of cronsim):

- A time of day (neither minute nor hour begins with ``*``, as in ``30 2 * * *``) comes once a day. On the day on which
  the clock skips it, it comes when the clock has jumped: 02:30 at 03:00. Times that fall together there are one. On
  the day on which the clock shows it twice, it comes the first time.
- Anything else (``0 * * * *``, ``*/15 2 * * *``) follows real time. What is hourly comes every real hour: 23 or 25
  times on those days. What asks for an hour that is skipped has none that day; for one that comes twice, it has both.
- A day that a month lacks does not come in it: ``0 0 31 * *`` has seven times a year, ``0 0 29 2 *`` one in leap years;
  ``L`` is the last day of any month.

Times are in ms since 1970.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim

from flownb.core.durations import MINUTE
from flownb.core.model import Json
from flownb.core.settings import Schedule
from flownb.core.times import iso
from flownb.core.words import span

TYPE = "schedule"
"""The type of a trigger."""

LATE = MINUTE
"""A time that is looked at so much later has been missed."""

MOST_COUNTED = 10_000
"""Times that were missed are counted up to here."""

MOST_MADE_UP = 1_000
"""Of the times that were missed, at most so many start an execution each, the oldest."""


@dataclass(frozen=True)
class Firing:
    """An execution to be started for the time ``at``: ``missed`` of the times that it stands for were missed."""

    at: int
    missed: int = 0


@dataclass(frozen=True)
class Plan:
    """What a schedule does at a look, oldest first, and when the next look is due, None for never.

    ``dropped`` times were missed and start nothing, the latest of them at ``dropped_at``.
    """

    firings: tuple[Firing, ...]
    next_at: int | None
    dropped: int = 0
    dropped_at: int | None = None


def following(schedule: Schedule, since: int, after: int) -> int | None:
    """The next time after ``after`` of a schedule that was deployed at ``since``; None where there is none."""
    if schedule.every is not None:
        return since + ((after - since) // schedule.every + 1) * schedule.every
    assert schedule.cron is not None
    begin = datetime.fromtimestamp(after / 1000, ZoneInfo(schedule.timezone))
    # In an hour that comes a second time, a time of day is found in the first.
    times = (round(found.timestamp() * 1000) for found in CronSim(schedule.cron, begin))
    return next((at for at in times if at > after), None)


def plan(schedule: Schedule, since: int, first: int | None, now: int) -> Plan:
    """What is to be done at ``now`` about the time ``first`` and those after it, as far as they have come."""
    next_at = following(schedule, since, now)
    if first is None or first > now:
        return Plan((), next_at)
    late = now - LATE
    missed = list(islice(_times(schedule, since, first, late - 1), MOST_COUNTED))
    in_time = first if first >= late else following(schedule, since, late - 1)
    firings = [Firing(at) for at in _times(schedule, since, in_time, now)]
    if not missed:
        return Plan(tuple(firings), next_at)
    latest = _latest(schedule, since, first, late - 1)
    if schedule.missed == "none":
        return Plan(tuple(firings), next_at, len(missed), latest)
    if schedule.missed == "all":
        made_up = [Firing(at, 1) for at in missed[:MOST_MADE_UP]]
        dropped = len(missed) - len(made_up)
        return Plan((*made_up, *firings), next_at, dropped, latest if dropped else None)
    standing, *rest = firings or [Firing(latest)]
    return Plan((Firing(standing.at, len(missed)), *rest), next_at)


def event(schedule: Schedule, at: int, missed: int = 0, *, manual: bool = False, body: Json = None) -> dict[str, Json]:
    """What a step finds in its trigger, in the shape of the original's; ``manual`` where somebody said "run now"."""
    return {
        "timestamp": at // 1000,
        "scheduled_at": iso(at),
        "cron": schedule.cron,
        "interval_seconds": None if schedule.every is None else schedule.every / 1000,
        "timezone_configured": _local(at, schedule.timezone),
        "timezone_utc": _local(at, "UTC"),
        "missed": missed,
        "manual": manual,
        "body": body,
    }


def in_words(schedule: Schedule) -> str:
    """What a schedule says, in a line."""
    if schedule.every is not None:
        return f"every {span(timedelta(milliseconds=schedule.every))}"
    return f"{schedule.cron} ({schedule.timezone})"


def _times(schedule: Schedule, since: int, at: int | None, until: int) -> Iterator[int]:
    """The time ``at`` and those after it."""
    while at is not None and at <= until:
        yield at
        at = following(schedule, since, at)


def _latest(schedule: Schedule, since: int, first: int, until: int) -> int:
    """The latest time up to ``until``, where ``first`` is one: looked for in ever longer stretches before the end."""
    stretch = MINUTE
    while until - stretch > first:
        at = following(schedule, since, until - stretch)
        if at is not None and at <= until:
            return list(_times(schedule, since, at, until))[-1]
        stretch *= 4
    return list(_times(schedule, since, first, until))[-1]


def _local(at: int, timezone: str) -> dict[str, Json]:
    local = datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(timezone))
    written = local.isoformat(timespec="milliseconds")
    date, time = written.split("T")
    return {"timezone": timezone, "iso8601": {"timestamp": written, "date": date, "time": time}}
