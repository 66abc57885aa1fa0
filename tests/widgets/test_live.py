"""Telling widgets of changes: their threads, and messages that leave a kernel while no cell runs."""

from __future__ import annotations

import json
import os
import threading
from typing import Any

from jupyter_client.manager import start_new_kernel

from flownb.widgets import Dashboard, ExecutionView, Inbox
from flownb.widgets.live import Changed, Live
from tests.client_support import TOKEN, Server, until
from tests.support.server import REPOSITORY
from tests.widgets.conftest import threads


def test_widgets_share_two_threads_which_end_with_the_last(server: Server) -> None:
    one, two = Inbox(server.client.url), Dashboard(server.client.url)
    three = ExecutionView("none", server.client.url)
    assert sorted(threads()) == ["flownb-events", "flownb-widgets"]
    one.close()
    two.close()
    assert sorted(threads()) == ["flownb-events", "flownb-widgets"]
    three.close()
    until(lambda: True if not threads() else None)


def test_a_widget_is_live_while_some_page_shows_it(server: Server, inbox: Inbox) -> None:
    inbox._view_count = 1
    inbox._view_count = 0
    until(lambda: True if not threads() else None)
    execution = server.waiting("ask.ipynb")
    assert not inbox.rows.shown
    inbox._view_count = 1
    assert execution["id"] in str(inbox.rows.shown)
    assert len(threads()) == 2


class Watches:
    """A watcher that counts, and may be broken."""

    counting = False

    def __init__(self, error: Exception | None = None) -> None:
        self.rounds = 0
        self._error = error

    def heard(self, changed: Changed) -> None:
        self.rounds += 1
        if self._error is not None:
            raise self._error

    def tick(self) -> None:
        self.heard(None)


def test_one_that_cannot_show_a_change_keeps_it_from_nobody_else(server: Server) -> None:
    live = Live(server.client.url, None)
    broken, sound = Watches(ValueError("on purpose")), Watches()
    for one in (broken, sound):
        live.add(one)
    until(lambda: live.look() if min(broken.rounds, sound.rounds) < 5 else True)
    for one in (broken, sound):
        live.remove(one)


def test_a_connection_that_is_made_while_the_last_one_leaves_is_closed(server: Server) -> None:
    live = Live(server.client.url, None)
    told, left = threading.Event(), threading.Event()

    class Late(Watches):
        def heard(self, changed: Changed) -> None:
            told.set()
            assert left.wait(30)
            live.client().health()

    late = Late()
    live.add(late)
    assert told.wait(30)
    live.remove(late)
    left.set()
    until(lambda: True if not threads() else None)
    assert live._client is None


def test_changes_leave_the_kernel_while_no_cell_runs(server: Server, nothing_waits: None) -> None:
    manager, client = start_new_kernel(env={**os.environ, "PYTHONPATH": str(REPOSITORY)})
    try:
        client.execute_interactive(f"import flownb; box = flownb.Inbox({server.client.url!r}, {TOKEN!r})", timeout=60)
        execution = server.waiting("ask.ipynb")
        heard: list[dict[str, Any]] = []
        until(lambda: True if _tells(client, heard, "1 waiting.") and _tells(client, heard, execution["id"]) else None)
        assert all(message["msg_type"].startswith("comm_") for message in heard)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _tells(client: Any, heard: list[dict[str, Any]], said: str) -> bool:
    while client.iopub_channel.msg_ready():
        heard.append(client.get_iopub_msg(timeout=1))
    return any(said in json.dumps(message["content"]) for message in heard)
