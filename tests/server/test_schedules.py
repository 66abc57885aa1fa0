"""Workflows that start by themselves, on a clock that is moved over changes of the clock, a leap day and crashes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import MakeServer
from tests.server.test_deployed import deploy
from tests.support.server import Server

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"


@pytest.fixture(scope="module")
def server(folders: Any) -> Iterator[Server]:
    """A server whose clock is moved to wherever a test wants it."""
    made = Server(folders(), moving_clock=True).start()
    yield made
    made.close()


def wall(written: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=ZoneInfo(zone))


def started(server: Server, workflow: str, count: int) -> list[dict[str, Any]]:
    """The executions of a workflow, oldest first, once there are so many and all are over."""

    def all_over() -> list[dict[str, Any]] | None:
        found = server.http.get(f"/executions?workflow={workflow}").json()["executions"]
        over = all(one["finished_at"] for one in found)
        return found[::-1] if over and len(found) >= count else None

    found: list[dict[str, Any]] = server.until(all_over)
    assert len(found) == count
    return found


def schedule(server: Server, workflow: str, place: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = server.http.get(f"/workflows/{workflow}").json()["schedule"][place]
    return found


@pytest.mark.parametrize(
    ("name", "zone", "cron", "begin", "comes"),
    [
        ("spring", BERLIN, "30 2 * * *", "2027-03-28T01:59:59", ["2027-03-28T03:00", "2027-03-29T02:30"]),
        ("summer", NEW_YORK, "0 * * * *", "2027-03-14T01:00:01", ["2027-03-14T03:00", "2027-03-14T04:00"]),
        ("autumn", BERLIN, "30 2 * * *", "2027-10-31T01:59:59", ["2027-10-31T02:30", "2027-11-01T02:30"]),
        ("winter", NEW_YORK, "0 * * * *", "2027-11-07T00:59:59", ["2027-11-07T01:00", "2027-11-07T01:00"]),
        ("leap", BERLIN, "0 12 29 2 *", "2027-03-01T00:00", ["2028-02-29T12:00", "2032-02-29T12:00"]),
    ],
)
def test_a_schedule_starts_at_its_local_time(
    server: Server, name: str, zone: str, cron: str, begin: str, comes: list[str]
) -> None:
    server.move_to(wall(begin, zone))
    deploy(server, name, "pd.steps.trigger.event", schedule={"cron": cron, "timezone": zone})
    for count, expected in enumerate(comes, 1):
        server.move_to(datetime.fromisoformat(schedule(server, name)["next_at"]))
        latest = started(server, name, count)[-1]
        event = latest["trigger"]["event"]
        assert (latest["trigger"]["type"], event["cron"], event["missed"]) == ("schedule", cron, 0)
        assert event["timezone_configured"]["iso8601"]["timestamp"].startswith(expected)
        assert latest["steps"][0]["exports"]["$return_value"] == event
    assert server.http.delete(f"/workflows/{name}").status_code == 204
    server.move_to(wall("2040-01-01"))
    assert len(started(server, name, 2)) == 2


def test_every_counts_from_the_deployment_and_a_deployment_that_leaves_it_as_it_is_does_not_move_it(
    server: Server,
) -> None:
    server.move_to(wall("2027-06-01T10:00"))
    first = deploy(server, "grid", "1", schedule={"every": "1h"})["schedule"][0]
    begin = datetime.fromisoformat(first["next_at"])
    assert abs((begin - wall("2027-06-01T11:00")).total_seconds()) < 30
    server.move_to(wall("2027-06-01T10:40"))
    changed = deploy(server, "grid", "2", schedule=[{"cron": "0 0 1 1 *"}, {"every": "1h"}])
    assert [one["next_at"] for one in changed["schedule"]] == ["2028-01-01T00:00:00.000Z", first["next_at"]]
    server.move_to(begin)
    (once,) = started(server, "grid", 1)
    assert once["trigger"]["event"]["scheduled_at"] == first["next_at"]
    assert (datetime.fromisoformat(schedule(server, "grid", 1)["next_at"]) - begin).total_seconds() == 3600
    server.http.delete("/workflows/grid")


def test_times_that_were_missed_while_no_server_ran(make_server: MakeServer) -> None:
    server = make_server(moving_clock=True).start()
    server.move_to(wall("2027-06-07T08:30"))
    for missed in ("once", "all", "none"):
        deploy(server, missed, "1", schedule={"cron": "0 9 * * *", "missed": missed})
    server.kill()
    server._ahead += 3 * 86_400_000
    server.start()
    (once,) = started(server, "once", 1)
    assert once["trigger"]["event"]["missed"] == 3
    assert once["trigger"]["event"]["scheduled_at"] == "2027-06-09T09:00:00.000Z"
    each = started(server, "all", 3)
    assert [one["trigger"]["event"]["scheduled_at"][8:10] for one in each] == ["07", "08", "09"]
    told = server.until(lambda: schedule(server, "none")["skipped"])
    assert told == {"count": 3, "at": "2027-06-09T09:00:00.000Z", "why": "no server was at work"}
    assert server.http.get("/executions?workflow=none").json()["executions"] == []
    for missed in ("once", "all", "none"):
        assert schedule(server, missed)["next_at"] == "2027-06-10T09:00:00.000Z"
    server.move_to(wall("2027-06-10T09:00"))
    assert len(started(server, "once", 2)) == 2
    assert len(started(server, "all", 4)) == 4
    assert started(server, "none", 1)[0]["trigger"]["event"]["missed"] == 0


def test_a_time_is_skipped_and_noted_while_the_execution_before_it_is_not_over(server: Server) -> None:
    server.move_to(wall("2027-06-01T08:59"))
    for name, overlap in (("alone", False), ("beside", True)):
        waits = "pd.flow.suspend(timeout=300*86_400_000)"
        deploy(server, name, waits, schedule={"cron": "0 * * * *", "overlap": overlap})

    def there(name: str, count: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = server.http.get(f"/executions?workflow={name}&status=suspended").json()[
            "executions"
        ]
        return found if len(found) == count else []

    server.move_to(wall("2027-06-01T09:00"))
    (first,) = server.until(lambda: there("alone", 1))
    server.until(lambda: there("beside", 1))
    server.move_to(wall("2027-06-01T10:00"))
    server.until(lambda: there("beside", 2))
    told = server.until(lambda: schedule(server, "alone")["skipped"])
    assert told == {"count": 1, "at": "2027-06-01T10:00:00.000Z", "why": f"execution {first['id']} was not over"}
    assert schedule(server, "beside")["skipped"] is None
    server.post(first["id"], "cancel")
    server.move_to(wall("2027-06-01T11:00"))
    server.until(lambda: there("alone", 1))
    for name in ("alone", "beside"):
        server.http.delete(f"/workflows/{name}")


def test_a_clock_that_jumps_forward_and_back_starts_nothing_twice_and_stops_nothing(server: Server) -> None:
    server.move_to(wall("2027-06-01T08:59"))
    deploy(server, "jumping", "1", schedule={"cron": "0 * * * *"})
    server.move_to(wall("2028-06-01T09:00"))  # a mistake
    (ahead,) = started(server, "jumping", 1)
    for _ in range(2):
        server.move_to(wall("2027-06-01T08:59"))
        server.until(lambda: schedule(server, "jumping")["next_at"] == "2027-06-01T09:00:00.000Z")
        server.move_to(wall("2027-06-01T09:00"))
        assert len(started(server, "jumping", 2)) == 2
        server.until(lambda: schedule(server, "jumping")["next_at"] == "2027-06-01T10:00:00.000Z")
    server.move_to(wall("2027-06-01T10:00"))
    found = started(server, "jumping", 3)
    times = [one["trigger"]["event"]["scheduled_at"] for one in found]
    assert times == [ahead["trigger"]["event"]["scheduled_at"], "2027-06-01T09:00:00.000Z", "2027-06-01T10:00:00.000Z"]
    server.http.delete("/workflows/jumping")


def test_run_now_is_an_execution_of_the_schedule_that_says_so(server: Server) -> None:
    server.move_to(wall("2027-06-01T08:59"))
    deploy(server, "at_will", "pd.steps.trigger.event.body", schedule={"cron": "0 0 1 1 *"})
    answer = server.http.post("/workflows/at_will/run", json={"data": {"a": 1}})
    assert answer.status_code == 201
    done = server.wait(answer.json()["id"], "succeeded")
    event = done["trigger"]["event"]
    assert (done["trigger"]["type"], event["manual"], event["cron"]) == ("schedule", True, "0 0 1 1 *")
    assert done["steps"][0]["exports"]["$return_value"] == {"a": 1}
    deploy(server, "unscheduled", "1")
    refused = server.http.post("/workflows/unscheduled/run")
    assert (refused.status_code, refused.json()["reason"]) == (400, "bad_request")
    assert server.http.post("/workflows/nobody/run").status_code == 404
    for name in ("at_will", "unscheduled"):
        server.http.delete(f"/workflows/{name}")
