"""One execution as a widget, and all of them."""

from __future__ import annotations

from typing import Any

import pytest

import flownb
from flownb.widgets import Dashboard, ExecutionView
from flownb.widgets.timeline import StepRow
from tests.client_support import Server, until
from tests.support.notebooks import cell, write
from tests.widgets.conftest import click, hidden, status


def view(server: Server, execution: dict[str, Any]) -> ExecutionView:
    return ExecutionView(execution["id"], server.client.url, name="Ana")


def test_the_steps_and_the_decision(server: Server) -> None:
    execution = server.waiting("ask.ipynb")
    shown = view(server, execution)
    rows = list(shown.rows.shown.values())
    assert [("suspended" in row.what.value, row.replay.disabled) for row in rows] == [(True, False), (False, True)]
    assert {row.longest for row in rows} == {execution["steps"][0]["compute_ms"]}
    assert "0 of 2 steps" in shown.head.value
    assert "May &lt;b&gt;I&lt;/b&gt;?" in shown.waits.value
    assert hidden(shown.cancel_button)
    assert shown.decision is not None
    shown.decision.fields.children[0].value = "fine"
    click(shown.decision.approve)
    assert ": approved" in shown.message.value
    until(lambda: True if "2 of 2 steps" in shown.head.value else None)
    assert hidden(shown.deciding)
    assert "approved by Ana on" in shown.pauses.value
    rows[1].opened.value = True
    assert "fine" in str(rows[1].output.outputs)
    shown.close()


def test_outputs_appear_while_the_step_runs(server: Server) -> None:
    release = server.root / "go-on"
    waits = f"import pathlib, time\nprint('begun')\nwhile not pathlib.Path({str(release)!r}).exists(): time.sleep(.05)"
    write(server.root, "waits.ipynb", cell(waits, "waits"))
    execution = server.client.start("waits.ipynb")
    shown = view(server, execution)
    (row,) = shown.rows.shown.values()
    row.opened.value = True
    until(lambda: True if "begun" in str(row.output.outputs) else None)
    assert not hidden(shown.cancel_button)
    release.touch()
    until(lambda: True if "succeeded" in shown.head.value and hidden(shown.cancel_button) else None)
    shown.close()


def test_a_running_one_is_cancelled(server: Server) -> None:
    write(server.root, "sleeps.ipynb", cell("import time\ntime.sleep(600)", "sleeps"))
    execution = server.client.start("sleeps.ipynb")
    shown = view(server, execution)
    click(shown.cancel_button)
    assert "cancelled" in shown.message.value
    assert status(server, execution) == "cancelled"
    shown.close()


def test_one_that_is_tried_again_later_is_cancelled(server: Server) -> None:
    write(server.root, "fragile.ipynb", cell("#| retry: {max: 5, first: 1h}\n1 / 0", "fragile"))
    execution = server.waiting("fragile.ipynb")
    assert execution["waiting"]["kind"] == "retry"
    shown = view(server, execution)
    assert not hidden(shown.cancel_button)
    click(shown.cancel_button)
    assert status(server, execution) == "cancelled"
    shown.close()


def test_a_failed_one_shows_its_error_and_is_replayed(server: Server) -> None:
    execution = server.client.start("fail.ipynb")
    assert status(server, execution) == "failed"
    shown = view(server, execution)
    assert shown.error.outputs[0]["ename"] == "ValueError"
    assert "broken on purpose" in str(shown.error.outputs)
    first = next(iter(shown.rows.shown.values()))
    assert "ValueError: broken on purpose" in first.what.value
    click(first.replay)
    newest = server.client.executions()["executions"][0]
    assert newest["replay_of"] == execution["id"]
    assert newest["id"] in shown.message.value
    shown.close()


def test_it_is_opened(server: Server) -> None:
    execution = server.waiting("ask.ipynb")
    shown = view(server, execution)
    click(shown.open_button)
    assert "/lab/tree/flownb-runs/ask-" in shown.opened.value
    shown.close()


def test_one_that_there_is_not(server: Server) -> None:
    shown = ExecutionView("none", server.client.url)
    assert "there is no execution" in shown.status.value
    shown.close()


def test_all_executions(server: Server) -> None:
    execution = server.client.start("fail.ipynb")
    assert status(server, execution) == "failed"
    dashboard = Dashboard(server.client.url)
    assert f"failed {server.client.health()['executions']['failed']}" in dashboard.counts.value
    dashboard.chosen.value = "failed"
    dashboard.search.value = execution["id"]
    assert list(dashboard.rows.shown) == [execution["id"]]
    click(dashboard.rows.shown[execution["id"]].button)
    (below,) = dashboard.detail.children
    assert execution["id"] in below.head.value
    dashboard.search.value = "no such text"
    assert "no execution that fits" in dashboard.status.value
    dashboard.search.value, dashboard.chosen.value = "", ""
    another = server.client.start("quick.ipynb")
    until(lambda: True if another["id"] in dashboard.rows.shown else None)
    click(dashboard.rows.shown[another["id"]].button)
    assert another["id"] in dashboard.detail.children[0].head.value
    dashboard.close()


def test_they_are_offered_by_the_package() -> None:
    assert (flownb.ExecutionView, flownb.Dashboard) == (ExecutionView, Dashboard)


@pytest.mark.parametrize("error", [None, {"ename": "E<b>", "evalue": "<script>", "traceback": []}])
def test_names_and_errors_are_no_markup(error: Any) -> None:
    step = {"name": "<i>", "cell_id": "c", "status": "failed", "runs": 2, "attempts": 3, "started_at": None}
    row = StepRow({**step, "compute_ms": 40, "error": error, "last_error": None}, lambda: None, lambda name: None, 80)
    row.tick()
    assert "&lt;i&gt;" in row.what.value
    assert "run 2 · attempt 3 · 40 ms" in row.what.value
    assert "width: 50%" in row.what.value
    assert "<script>" not in row.what.value
