"""When schedules are due: clock changes, leap days, ends of months, and times that were missed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from flownb.core.durations import DAY, HOUR, MINUTE, SECOND
from flownb.core.schedules import MOST_COUNTED, MOST_MADE_UP, Firing, Plan, event, following, in_words, plan
from flownb.core.settings import Schedule

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
# Berlin: 28 March 2027, 02:00 becomes 03:00; 31 October 2027, 03:00 becomes 02:00.
# New York: 14 March 2027, 02:00 becomes 03:00; 7 November 2027, 02:00 becomes 01:00.


def at(written: str, zone: str = "UTC") -> int:
    """A local time in ms since 1970."""
    return round(datetime.fromisoformat(written).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def local(ms: int, zone: str) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, ZoneInfo(zone)):%m-%d %H:%M%z}"


def times(schedule: Schedule, begin: str, end: str, since: int = 0) -> list[str]:
    """All times between two local ones, as the clock on the wall shows them."""
    found, now = [], at(begin, schedule.timezone)
    while (now := following(schedule, since, now) or 0) <= at(end, schedule.timezone):
        found.append(local(now, schedule.timezone))
    return found


@pytest.mark.parametrize(
    ("zone", "cron", "begin", "end", "comes"),
    [
        (
            BERLIN,
            "30 2 * * *",
            "2027-03-27",
            "2027-03-30",
            ["03-27 02:30+0100", "03-28 03:00+0200", "03-29 02:30+0200"],
        ),
        (
            BERLIN,
            "30 2 * * *",
            "2027-10-30",
            "2027-11-02",
            ["10-30 02:30+0200", "10-31 02:30+0200", "11-01 02:30+0100"],
        ),
        (NEW_YORK, "30 2 * * *", "2027-03-13", "2027-03-15", ["03-13 02:30-0500", "03-14 03:00-0400"]),
        (NEW_YORK, "30 1 * * *", "2027-11-06", "2027-11-08", ["11-06 01:30-0400", "11-07 01:30-0400"]),
        # Two times that the same jump catches are one.
        (BERLIN, "15,45 2 * * *", "2027-03-28", "2027-03-29", ["03-28 03:00+0200"]),
        (BERLIN, "0 2,3 * * *", "2027-03-28", "2027-03-29", ["03-28 03:00+0200"]),
        # What follows real time has nothing in an hour that is skipped, and both where one comes twice.
        (BERLIN, "*/30 2 * * *", "2027-03-28", "2027-03-29", []),
        (
            BERLIN,
            "*/30 2 * * *",
            "2027-10-31",
            "2027-11-01",
            ["10-31 02:00+0200", "10-31 02:30+0200", "10-31 02:00+0100", "10-31 02:30+0100"],
        ),
        (BERLIN, "0 0 29 2 *", "2027-01-01", "2029-12-31", ["02-29 00:00+0100"]),
        ("UTC", "0 9 31 * *", "2027-02-01", "2027-06-30", ["03-31 09:00+0000", "05-31 09:00+0000"]),
        ("UTC", "0 9 L 2 *", "2027-01-01", "2028-12-31", ["02-28 09:00+0000", "02-29 09:00+0000"]),
        ("UTC", "0 0 1 1 *", "2027-12-31", "2028-01-02", ["01-01 00:00+0000"]),
    ],
)
def test_cron_comes_as_its_rules_say(zone: str, cron: str, begin: str, end: str, comes: list[str]) -> None:
    assert times(Schedule(cron=cron, timezone=zone), begin, end) == comes


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (BERLIN, "2027-03-28", 23),
        (BERLIN, "2027-10-31", 25),
        (NEW_YORK, "2027-03-14", 23),
        (NEW_YORK, "2027-11-07", 25),
        (BERLIN, "2028-02-29", 24),
    ],
)
def test_what_is_hourly_comes_every_real_hour(zone: str, day: str, hours: int) -> None:
    schedule = Schedule(cron="0 * * * *", timezone=zone)
    now, end = at(day, zone) - 1, at(f"{datetime.fromisoformat(day) + timedelta(days=1):%F}", zone) - 1
    found = []
    while (now := following(schedule, 0, now) or 0) <= end:
        found.append(now)
    assert (len(found), found) == (hours, list(range(found[0], found[0] + hours * HOUR, HOUR)))


def test_a_time_of_day_that_was_the_first_time_does_not_come_again_in_the_second() -> None:
    schedule = Schedule(cron="30 2 * * *", timezone=BERLIN)
    second = round(datetime(2027, 10, 31, 2, 10, tzinfo=ZoneInfo(BERLIN), fold=1).timestamp() * 1000)
    assert local(following(schedule, 0, second) or 0, BERLIN) == "11-01 02:30+0100"


def test_every_is_a_grid_from_the_deployment_that_no_clock_change_moves() -> None:
    since = at("2027-03-27T20:00:07")
    schedule = Schedule(every=6 * HOUR, timezone=BERLIN)
    assert following(schedule, since, since) == since + 6 * HOUR
    assert following(schedule, since, since + 6 * HOUR - 1) == since + 6 * HOUR
    assert following(schedule, since, since + 200 * DAY) == since + 200 * DAY + 6 * HOUR
    assert following(schedule, since, since - DAY - 1) == since - DAY  # the clock was put back
    assert len(times(schedule, "2027-03-27T22:00", "2027-03-28T21:30", since)) == 3


DAILY = Schedule(cron="0 9 * * *")
MONDAY, TUESDAY, WEDNESDAY = (at(f"2027-06-0{day}T09:00") for day in (7, 8, 9))
THURSDAY = WEDNESDAY + DAY


def test_a_time_that_has_just_come_starts_one() -> None:
    assert plan(DAILY, 0, MONDAY, MONDAY) == Plan((Firing(MONDAY),), TUESDAY)
    assert plan(DAILY, 0, MONDAY, MONDAY + MINUTE) == Plan((Firing(MONDAY),), TUESDAY)


@pytest.mark.parametrize(
    ("missed", "now", "expected"),
    [
        ("once", TUESDAY + HOUR, Plan((Firing(TUESDAY, 2),), WEDNESDAY)),
        ("all", TUESDAY + HOUR, Plan((Firing(MONDAY, 1), Firing(TUESDAY, 1)), WEDNESDAY)),
        ("none", TUESDAY + HOUR, Plan((), WEDNESDAY, 2, TUESDAY)),
        # With a time that has just come.
        ("once", WEDNESDAY, Plan((Firing(WEDNESDAY, 2),), THURSDAY)),
        ("all", WEDNESDAY, Plan((Firing(MONDAY, 1), Firing(TUESDAY, 1), Firing(WEDNESDAY)), THURSDAY)),
        ("none", WEDNESDAY, Plan((Firing(WEDNESDAY),), THURSDAY, 2, TUESDAY)),
    ],
)
def test_times_that_were_missed(missed: str, now: int, expected: Plan) -> None:
    assert plan(Schedule(cron="0 9 * * *", missed=missed), 0, MONDAY, now) == expected


def test_a_long_time_without_a_server_is_bounded() -> None:
    now = MONDAY + 400 * DAY
    for schedule in (Schedule(every=SECOND, missed="all"), Schedule(cron="* * * * *", missed="all")):
        first = following(schedule, 0, MONDAY)
        assert first is not None
        found = plan(schedule, 0, first, now)
        made_up = [firing for firing in found.firings if firing.missed]
        assert [made_up[0].at, len(made_up), found.dropped] == [first, MOST_MADE_UP, MOST_COUNTED - MOST_MADE_UP]
        assert [firing.at for firing in found.firings if not firing.missed][-1] == now
        assert found.dropped_at
        assert 0 < now - found.dropped_at <= 3 * MINUTE


def test_times_over_a_clock_change_are_missed_as_they_would_have_come() -> None:
    hourly = Schedule(cron="0 * * * *", timezone=BERLIN, missed="all")
    begin, end = at("2027-10-31", BERLIN), at("2027-11-01T00:30", BERLIN)
    found = plan(hourly, 0, begin, end)
    assert [firing.at for firing in found.firings] == list(range(begin, begin + 26 * HOUR, HOUR))


def test_a_leap_day_that_nobody_saw_is_made_up_once() -> None:
    leap = Schedule(cron="0 12 29 2 *")
    day = at("2028-02-29T12:00")
    found = plan(leap, 0, day, at("2028-03-01"))
    assert found == Plan((Firing(day, 1),), at("2032-02-29T12:00"))


def test_the_event_has_the_time_in_its_zone_and_in_utc() -> None:
    told = event(Schedule(cron="0 9 * * *", timezone=BERLIN), at("2027-07-01T09:00", BERLIN), 2)
    assert (told["timestamp"], told["scheduled_at"]) == (1_814_425_200, "2027-07-01T07:00:00.000Z")
    assert (told["cron"], told["interval_seconds"], told["missed"]) == ("0 9 * * *", None, 2)
    assert told["timezone_configured"]["iso8601"]["timestamp"] == "2027-07-01T09:00:00.000+02:00"
    assert told["timezone_utc"]["iso8601"]["time"] == "07:00:00.000+00:00"
    assert (told["manual"], told["body"]) == (False, None)
    every = event(Schedule(every=90 * SECOND), round(datetime(2027, 1, 1, tzinfo=UTC).timestamp() * 1000))
    assert (every["cron"], every["interval_seconds"]) == (None, 90.0)


def test_a_schedule_in_words() -> None:
    assert in_words(Schedule(cron="0 9 * * *", timezone=BERLIN)) == "0 9 * * * (Europe/Berlin)"
    assert in_words(Schedule(every=90 * MINUTE)) == "every 1 h 30 min"
