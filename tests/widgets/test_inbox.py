"""The inbox against a real server; its buttons are clicked as the front end does it, in another thread."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from ipywidgets import Button

import flownb
from flownb.widgets import Inbox
from tests.client_support import Server


@pytest.fixture
def inbox(server: Server) -> Inbox:
    server.client.cancel_many([one["id"] for one in server.client.executions(status="suspended")["executions"]])
    return Inbox(server.client.url)


def texts(inbox: Inbox) -> str:
    return "\n".join(cell.value for cell in inbox.table.children if not isinstance(cell, Button))


def buttons(inbox: Inbox, label: str) -> list[Button]:
    return [cell for cell in inbox.table.children if isinstance(cell, Button) and cell.description == label]


def click(button: Button) -> None:
    thread = threading.Thread(target=button.click)
    thread.start()
    thread.join(20)


def status(server: Server, execution: dict[str, Any]) -> Any:
    *_, ended = server.client.follow(execution["id"])
    return ended["status"]


def test_it_is_offered_by_the_package_and_loaded_only_then() -> None:
    assert flownb.Inbox is Inbox
    code = "import sys, flownb; assert 'ipywidgets' not in sys.modules and 'httpx' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], timeout=20).returncode == 0


def test_nothing_waits(inbox: Inbox) -> None:
    assert "Nothing waits." in inbox.message.value
    assert inbox.table.children == ()


def test_what_waits_is_shown_and_approved(server: Server, inbox: Inbox) -> None:
    execution = server.waiting("ask.ipynb")
    click(inbox.refresh_button)
    assert "1 waiting" in inbox.message.value
    for word in (
        "ask.ipynb",
        execution["id"],
        "May &lt;b&gt;I&lt;/b&gt;?",
        "the workflow goes on without an answer in ",
    ):
        assert word in texts(inbox)
    (approve,) = buttons(inbox, "Approve")
    click(approve)
    assert f"ask.ipynb ({execution['id']}): resumed" in inbox.message.value
    assert buttons(inbox, "Approve") == []
    assert status(server, execution) == "succeeded"


def test_a_rerun_is_counted_and_cancelled(server: Server, inbox: Inbox) -> None:
    execution = server.waiting("again.ipynb")
    inbox.refresh()
    assert "rerun · run 1 of 4 · the step runs again in " in texts(inbox)
    (cancel,) = buttons(inbox, "Cancel")
    click(cancel)
    assert ": cancelled" in inbox.message.value
    assert status(server, execution) == "cancelled"


def test_somebody_else_was_faster(server: Server, inbox: Inbox) -> None:
    execution = server.waiting("ask.ipynb")
    inbox.refresh()
    server.client.cancel(execution["id"])
    click(*buttons(inbox, "Approve"))
    assert "someone else was faster" in inbox.message.value
    assert buttons(inbox, "Approve") == []


def test_a_pause_that_came_after_the_one_shown_is_left_alone(server: Server, inbox: Inbox) -> None:
    execution = server.waiting("again.ipynb")
    inbox.refresh()
    server.client.resume(execution["id"])
    states = server.client.follow(execution["id"])
    second = next(one for one in states if one["status"] == "suspended" and one["waiting"]["runs"] == 2)
    click(*buttons(inbox, "Cancel"))
    assert "someone else was faster" in inbox.message.value
    assert "run 2 of 4" in texts(inbox)
    assert server.client.execution(execution["id"])["waiting"] == second["waiting"]


def test_an_execution_that_is_gone_is_told(server: Server, inbox: Inbox) -> None:
    execution = server.waiting("ask.ipynb")
    inbox.refresh()
    server.client.cancel(execution["id"])
    server.client.delete(execution["id"])
    click(*buttons(inbox, "Approve"))
    assert "there is no execution" in inbox.message.value
    assert buttons(inbox, "Approve") == []


def test_both_buttons_at_once_decide_once(server: Server, inbox: Inbox) -> None:
    execution = server.waiting("ask.ipynb")
    inbox.refresh()
    clicked = [
        threading.Thread(target=button.click) for label in ("Approve", "Cancel") for button in buttons(inbox, label)
    ]
    for thread in clicked:
        thread.start()
    for thread in clicked:
        thread.join(20)
    assert "someone else was faster" in inbox.message.value
    assert status(server, execution) in ("succeeded", "cancelled")


def test_no_server(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    inbox = Inbox()
    assert "no Jupyter server with flownb is running" in inbox.message.value
    assert "Inbox(url=" in inbox.message.value
    monkeypatch.chdir(server.root)
    click(inbox.refresh_button)
    assert "waiting" in inbox.message.value.lower() or "Nothing waits" in inbox.message.value


def test_a_server_that_does_not_answer_or_refuses(server: Server) -> None:
    assert "is not the address of a server" in Inbox("localhost").message.value
    assert "does not answer" in Inbox("http://127.0.0.1:1").message.value
    assert "is the token right?" in Inbox(server.client.url, "wrong").message.value
