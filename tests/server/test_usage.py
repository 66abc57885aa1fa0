"""The bill over HTTP: what each day, workflow, execution, step and segment has cost, also of what was deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.command import flownb
from tests.support.notebooks import cell, write
from tests.support.server import Server

PAUSES = cell("pd.flow.suspend()", "ask")
ENDS = cell("pd.export('x', 1)", "end")


@pytest.fixture(scope="module")
def server(folders: Any) -> Iterator[Server]:
    """With an execution that paused for an hour over midnight and was deleted, and one of another workflow."""
    made = Server(folders(), moving_clock=True).start()
    write(made.root, "asks.ipynb", PAUSES, ENDS)
    write(made.root, "quick.ipynb", "1")
    execution = made.submit("asks.ipynb")
    made.wait(execution, "suspended")
    made.advance(days=1)
    made.post(execution, "resume")
    bills[execution] = made.wait(execution, "succeeded")
    made.wait(made.submit("quick.ipynb"), "succeeded")
    assert made.http.delete(f"/executions/{execution}").status_code == 204
    yield made
    made.close()


bills: dict[str, Any] = {}


def usage(server: Server, **query: Any) -> Any:
    answer = server.http.get("/usage", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_what_was_deleted_stays_on_the_bill_with_its_own_figures(server: Server) -> None:
    [(execution, bill)] = bills.items()
    rows = usage(server, by="execution", workflow="asks.ipynb")["rows"]
    [row] = rows
    figures = ("compute_ms", "suspended_ms", "credits", "segments", "version")
    assert {name: row[name] for name in figures} == {name: bill[name] for name in figures}
    assert (row["execution"], row["started_at"]) == (execution, bill["started_at"])
    assert (bill["segments"], bill["credits"]) == (2, 2)
    assert bill["suspended_ms"] >= 86_400_000


def test_segments_belong_to_the_day_they_began_on_and_the_pause_to_the_one_before_it(server: Server) -> None:
    second, first = usage(server, by="segment", workflow="asks.ipynb")["rows"]
    assert [first["segment"], second["segment"]] == [1, 2]
    assert first["day"] < second["day"]
    assert first["suspended_ms"] >= 86_400_000
    assert second["suspended_ms"] == 0
    by_day = usage(server)
    assert [row["day"] for row in by_day["rows"]] == [second["day"], first["day"]]
    assert by_day["total"]["credits"] == sum(row["credits"] for row in by_day["rows"]) == 3
    only = usage(server, since=second["day"])
    assert [row["day"] for row in only["rows"]] == [second["day"]]
    assert usage(server, until="2020-01-01")["total"]["credits"] == 0


def test_steps_and_workflows_add_up_to_the_total(server: Server) -> None:
    total = usage(server)["total"]
    workflows, steps = usage(server, by="workflow"), usage(server, by="step")
    assert {row["workflow"]: row["credits"] for row in workflows["rows"]} == {"asks.ipynb": 2, "quick.ipynb": 1}
    assert sum(row["compute_ms"] for row in steps["rows"]) == total["compute_ms"]
    assert usage(server, by="segment", limit=2)["more"]


@pytest.mark.parametrize("query", [{"by": "month"}, {"since": "yesterday"}, {"until": "2026-1-1"}, {"limit": "0"}])
def test_what_cannot_be_meant_is_refused_by_name(server: Server, query: dict[str, str]) -> None:
    answer = server.http.get("/usage", params=query)
    assert answer.status_code == 400
    assert next(iter(query)) in answer.json()["message"]


def test_the_command_line_and_the_console_show_the_same(server: Server) -> None:
    said = json.loads(flownb(server, "usage", "--by", "workflow", "--json"))
    assert said["total"] == usage(server)["total"]
    assert "asks.ipynb" in flownb(server, "usage", "--by", "workflow")
    days = usage(server)["rows"]
    page = server.http.get(server.api.replace("/api", "/usage"), params={"until": days[0]["day"]}).text
    assert page.count("<rect") == 30
    assert f"<title>{days[1]['day']}: {days[1]['credits']}</title>" in page
