"""Errors are seen: told of once a day by mail, listed in the API and in the console."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.server.test_console import Person
from tests.server.test_deployed import deploy, start
from tests.support.mailbox import OWNER, Mailbox
from tests.support.server import Server


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    mailbox = Mailbox().start()
    yield mailbox
    mailbox.stop()


@contextmanager
def looking_at(server: Server) -> Iterator[Person]:
    """Somebody who closes the browser afterwards."""
    person = Person(server)
    yield person
    person.http.close()


def errors(server: Server, **asked: Any) -> list[dict[str, Any]]:
    answer = server.http.get("/errors", params=asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["errors"]
    return found


def test_errors_are_told_of_once_a_day_and_counted(make_server: MakeServer, mailbox: Mailbox) -> None:
    server = make_server("--FlowNB.pool_size=0", *mailbox.settings, moving_clock=True)
    server.environment |= mailbox.environment
    server.start()
    deploy(server, "fails", "raise ValueError(f'no {pd.steps.trigger.event.body}')")

    def fail(data: Any) -> str:
        return str(server.wait(start(server, "fails", data), "failed")["id"])

    first, _, third = fail("a"), fail("a"), fail("b")
    (mail,) = mailbox.wait(1)
    assert (mail["To"], mail["Subject"]) == (OWNER, "fails: failed at step 'step_1'")
    assert mail.get_content().splitlines() == ["ValueError: no a", f"Execution {first}"]
    counted = [(one["evalue"], one["count"]) for one in errors(server)]
    assert counted == [("no b", 1), ("no a", 2)]
    server.advance(hours=25)
    fourth = fail("b")
    _, mail = mailbox.wait(2)
    assert mail.get_content().splitlines()[2] == "Since the last message it has failed like this 2 times more."
    latest = errors(server)[0]
    assert (latest["workflow"], latest["step"], latest["ename"]) == ("fails", "step_1", "ValueError")
    assert (latest["count"], latest["execution"]) == (2, fourth)
    assert latest["first_at"] == server.get(third)["finished_at"]
    assert [one["count"] for one in errors(server, since="24h")] == [1]
    assert errors(server, since=server.get(fourth)["finished_at"])[0]["count"] == 1
    assert errors(server, workflow="other") == []
    assert len(errors(server, limit=1)) == 1
    refused = server.http.get("/errors?since=soon")
    assert (refused.status_code, "since is a span" in refused.json()["message"]) == (400, True)
    with looking_at(server) as person:
        shown = person.page("errors")
        assert shown.count("ValueError</a>") == 2
        assert f"executions/{fourth}" in shown
        assert "no a" not in person.page("errors", since="24h")
        assert "Nothing has failed since" in person.page("errors", workflow="other")


def test_the_console_shows_schedules_and_runs_one_now(make_server: MakeServer) -> None:
    server = make_server("--FlowNB.pool_size=0").start()
    with looking_at(server) as person:
        assert "No deployed workflow has a schedule" in person.page("schedules")
        deploy(server, "yearly", "1", schedule=[{"cron": "0 0 1 1 *", "timezone": "Europe/Berlin"}, {"every": "1h"}])
        shown = person.page("schedules")
        assert "0 0 1 1 * (Europe/Berlin)" in shown
        assert "every 1 h" in shown
        assert shown.count("<button>Run now") == 1
        assert "yearly" in person.after("schedules/yearly/run")
    (execution,) = server.http.get("/executions?workflow=yearly").json()["executions"]
    assert execution["trigger"]["event"]["manual"]
