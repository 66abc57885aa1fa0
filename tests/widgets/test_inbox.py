"""The inbox against a real server; its buttons are clicked as the front end does it, in another thread."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import flownb
from flownb.core.errors import InvalidValue
from flownb.widgets import ExecutionView, Inbox
from tests.client_support import Server, until
from tests.widgets.conftest import click, gone, hidden, row, status


def test_it_is_offered_by_the_package_and_loaded_only_then() -> None:
    assert flownb.Inbox is Inbox
    code = "import sys, flownb; assert 'ipywidgets' not in sys.modules and 'httpx' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], timeout=20).returncode == 0


def test_nothing_waits(inbox: Inbox) -> None:
    assert "Nothing waits." in inbox.status.value
    assert not inbox.rows.children
    assert hidden(inbox.many)


def test_what_waits_appears_by_itself_and_is_approved(server: Server, inbox: Inbox) -> None:
    execution = server.waiting("ask.ipynb")
    shown = row(inbox, execution)
    said = ("ask.ipynb", execution["id"], "May &lt;b&gt;I&lt;/b&gt;?", "continues by itself on", "unless cancelled")
    notebook = f"{server.client.url}lab/tree/flownb-runs/ask-{execution['id']}.ipynb"
    for word in (*said, execution["waiting"]["review_url"], notebook):
        assert word in shown.what.value
    assert "23 h 59 min left" in shown.left.value or "1 d left" in shown.left.value
    click(shown.decision.approve)
    assert f"ask.ipynb ({execution['id']}): approved" in inbox.message.value
    assert status(server, execution) == "succeeded"
    (pause,) = server.client.execution(execution["id"])["pauses"]
    assert pause["decision"]["by"] == "Ana"
    gone(inbox, execution)


def test_data_and_a_comment_go_along(server: Server, inbox: Inbox) -> None:
    execution = server.waiting("ask.ipynb")
    decision = row(inbox, execution).decision
    decision.more.value = True
    data, comment, _ = decision.fields.children
    data.value, comment.value, inbox.name.value = '{"limit": 3}', "as agreed", "Ben"
    click(decision.approve)
    assert status(server, execution) == "succeeded"
    found = server.client.execution(execution["id"])
    assert found["steps"][1]["exports"]["$return_value"] == {"limit": 3}
    assert (found["pauses"][0]["decision"]["by"], found["pauses"][0]["decision"]["comment"]) == ("Ben", "as agreed")


def test_what_somebody_types_stays_while_rows_come_and_go(server: Server, inbox: Inbox) -> None:
    first = server.waiting("ask.ipynb")
    shown = row(inbox, first)
    shown.decision.more.value = True
    shown.decision.fields.children[1].value = "half a sen"
    children = inbox.rows.children
    second = server.waiting("ask.ipynb")
    newer = row(inbox, second)
    assert inbox.rows.children[: len(children)] == children, "front ends would make these views anew"
    assert (newer.box.layout.order, shown.box.layout.order) == ("0", "1"), "newest first"
    server.client.cancel(second["id"])
    gone(inbox, second)
    assert row(inbox, first) is shown
    assert shown.decision.fields.children[1].value == "half a sen"
    click(inbox.refresh_button)
    assert list(inbox.rows.children) == [shown.box]
    assert shown.decision.fields.children[1].value == "half a sen"


def test_a_rerun_is_counted_down_and_cancelled(server: Server, inbox: Inbox) -> None:
    execution = server.waiting("again.ipynb")
    shown = row(inbox, execution)
    assert "runs again by itself" in shown.what.value
    until(lambda: True if "run 1 of 4, next in 59 min" in shown.left.value else None)
    before = shown.left.value
    until(lambda: True if shown.left.value != before else None)
    click(shown.decision.cancel)
    assert ": cancelled" in inbox.message.value
    assert status(server, execution) == "cancelled"


def test_only_what_waits_for_somebody_is_shown_unless_asked_otherwise(server: Server, nothing_waits: None) -> None:
    asks, runs_again = server.waiting("ask.ipynb"), server.waiting("again.ipynb")
    inbox = Inbox(server.client.url)
    assert [key.partition(" ")[0] for key in inbox.rows.shown] == [asks["id"]]
    inbox.kind.value = "rerun"
    assert [key.partition(" ")[0] for key in inbox.rows.shown] == [runs_again["id"]]
    inbox.kind.value = "all"
    assert len(inbox.rows.shown) == 2
    inbox.workflow.value = "ask.ipynb"
    assert [key.partition(" ")[0] for key in inbox.rows.shown] == [asks["id"]]
    inbox.workflow.value, inbox.search.value = "", "no such text"
    assert "Nothing waits that fits the filters." in inbox.status.value
    inbox.close()
    with pytest.raises(InvalidValue, match="kind is one of"):
        Inbox(server.client.url, kind="mine")


def test_one_wins_and_the_other_sees_who(server: Server, inbox: Inbox) -> None:
    execution = server.waiting("ask.ipynb")
    other = Inbox(server.client.url, name="Ben")
    click(row(inbox, execution).decision.approve, row(other, execution).decision.cancel)
    said = sorted([inbox.message.value, other.message.value], key=lambda said: "already" in said)
    winner = server.client.execution(execution["id"])["pauses"][0]["decision"]
    word = {"resume": "approved", "cancel": "cancelled"}[winner["action"]]
    assert f": {word}<" in said[0]
    assert f": already {word} by {winner['by']} at " in said[1]
    assert winner["by"] == {"approved": "Ana", "cancelled": "Ben"}[word]
    other.close()


def test_both_buttons_and_one_twice_decide_once(server: Server, inbox: Inbox) -> None:
    execution = server.waiting("ask.ipynb")
    decision = row(inbox, execution).decision
    click(decision.approve, decision.cancel, decision.approve, decision.cancel)
    assert "already" in inbox.message.value
    assert status(server, execution) in ("succeeded", "cancelled")


def test_a_pause_that_came_after_the_one_shown_is_left_alone(server: Server, inbox: Inbox) -> None:
    execution = server.waiting("again.ipynb")
    shown = row(inbox, execution)
    server.client.resume(execution["id"], by="Ben")
    states = server.client.follow(execution["id"])
    second = next(one for one in states if one["status"] == "suspended" and one["waiting"]["runs"] == 2)
    click(shown.decision.cancel)
    assert "already approved by Ben at " in inbox.message.value
    assert server.client.execution(execution["id"])["waiting"] == second["waiting"]
    until(lambda: True if "run 2 of 4" in row(inbox, execution).left.value else None)


def test_an_execution_that_is_gone_is_told(server: Server, inbox: Inbox) -> None:
    execution = server.waiting("ask.ipynb")
    shown = row(inbox, execution)
    server.client.cancel(execution["id"])
    server.client.delete(execution["id"])
    click(shown.decision.approve)
    assert "there is no execution" in inbox.message.value
    gone(inbox, execution)


def test_a_deadline_is_put_off(server: Server, inbox: Inbox) -> None:
    execution = server.waiting("ask.ipynb")
    shown = row(inbox, execution)
    shown.decision.more.value = True
    put_off, later = shown.decision.fields.children[-1].children
    later.value = "7d"
    click(put_off)
    assert "postponed" in inbox.message.value
    assert row(inbox, execution) is shown
    assert "8 d left" in shown.left.value or "7 d 23 h left" in shown.left.value
    server.client.cancel(execution["id"])


def test_no_server(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    inbox = Inbox()
    for words in ("no Jupyter server with flownb is running", "flownb serve", "Inbox(..., url="):
        assert words in inbox.status.value
    assert hidden(inbox.many)
    assert hidden(inbox.pages)
    monkeypatch.chdir(server.root)
    until(lambda: True if "aiting" in inbox.status.value or "Nothing waits" in inbox.status.value else None)
    execution = server.waiting("ask.ipynb")
    assert f'href="{server.client.url}lab/tree/flownb-runs/' in row(inbox, execution).what.value
    inbox.close()


@pytest.mark.parametrize("given", [True, False])
def test_links_of_the_kernels_own_server_stay_on_the_host_of_the_readers_page(
    server: Server, nothing_waits: None, monkeypatch: pytest.MonkeyPatch, given: bool
) -> None:
    monkeypatch.setenv("JPY_PARENT_PID", str(server.pid))
    inbox = Inbox(server.client.url if given else None)
    execution = server.waiting("ask.ipynb")
    assert 'href="/lab/tree/flownb-runs/' in row(inbox, execution).what.value
    view = ExecutionView(execution["id"], server.client.url if given else None)
    assert 'href="/lab/tree/flownb-runs/' in view.head.value
    view.close()
    inbox.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("localhost", "is not the address of a server"),
        ("http://127.0.0.1:1", "does not answer"),
        (None, "token right?"),
    ],
)
def test_a_server_that_does_not_answer_or_refuses(server: Server, url: str | None, said: str) -> None:
    inbox = Inbox(url or server.client.url, "wrong")
    assert said in inbox.status.value
    inbox.close()
