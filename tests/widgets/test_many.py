"""Hundreds of rows, people who may only look, and servers that come back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flownb.widgets import Dashboard, Inbox
from tests.client_support import until
from tests.conftest import MakeServer
from tests.support.server import TOKEN, Server
from tests.widgets.conftest import click, hidden
from tests.widgets.filled import fill

COUNT = 300


def url(server: Server) -> str:
    return server.api.removesuffix("flownb/api")


@pytest.fixture
def serve(folders: Callable[[], Path]) -> Iterator[Callable[..., Server]]:
    """Serves executions that have no journal to be told again."""
    made: list[Server] = []

    def make(*settings: str) -> Server:
        made.append(Server(fill(folders(), COUNT), "--FlowNB.pool_size=0", *settings).start())
        return made[-1]

    yield make
    for server in made:
        server.stop()
        server.http.close()


def reasons(inbox: Inbox) -> list[str]:
    return [key.partition(" ")[0] for key in inbox.rows.shown]


def test_hundreds_of_rows_page_by_page(serve: Callable[..., Server]) -> None:
    server = serve()
    inbox = Inbox(url(server), TOKEN)
    every = [f"{number:016x}" for number in reversed(range(COUNT))]
    assert reasons(inbox) == every[:20]
    assert "20 waiting on this page, and more." in inbox.status.value
    click(inbox.older)
    assert reasons(inbox) == every[20:40]
    assert len(inbox.rows.children) == 20
    assert "21 to 40" in inbox.place.value
    click(inbox.newer)
    assert (reasons(inbox), inbox.newer.disabled) == (every[:20], True)
    inbox.workflow.value = "odd.ipynb"
    assert reasons(inbox) == every[:40:2]
    click(inbox.older)
    inbox.all.value = True
    click(inbox.cancel)
    assert "20 cancelled." in inbox.message.value
    until(lambda: True if reasons(inbox) == every[80:120:2] else None)
    assert server.http.get("/health").json()["executions"]["cancelled"] == 20
    inbox.close()


def test_a_page_that_is_over_leads_to_the_first(serve: Callable[..., Server]) -> None:
    inbox = Inbox(url(serve()), TOKEN, workflow="odd.ipynb")
    for _ in range(7):
        click(inbox.older)
    assert (len(inbox.rows.shown), inbox.older.disabled) == (10, True)
    inbox.all.value = True
    click(inbox.cancel)
    until(lambda: True if len(inbox.rows.shown) == 20 else None)
    assert inbox.newer.disabled
    inbox.close()


def test_who_may_only_look_is_shown_no_buttons_and_told_why(serve: Callable[..., Server]) -> None:
    server = serve("--ServerApp.authorizer_class=tests.widgets.filled.ReadOnly")
    inbox = Inbox(url(server), TOKEN)
    first = next(iter(inbox.rows.shown.values()))
    assert hidden(first.decision.buttons)
    assert hidden(inbox.many)
    assert "Review page" not in first.what.value
    click(first.decision.cancel)
    assert "You may look here, but not do this (HTTP 403)." in inbox.message.value
    assert server.http.get("/health").json()["executions"]["suspended"] == COUNT
    inbox.close()


def test_a_server_that_comes_back_is_found_again(make_server: MakeServer) -> None:
    server = make_server().start()
    execution = server.run("pd.flow.suspend(reason='still there?')")
    server.wait(execution, "suspended")
    inbox, dashboard = Inbox(url(server), TOKEN), Dashboard(url(server), TOKEN)
    shown = inbox.rows.shown
    server.kill()
    until(lambda: True if "does not answer; trying again" in inbox.status.value else None)
    until(lambda: True if "does not answer; trying again" in dashboard.status.value else None)
    first = next(iter(shown.values()))
    click(first.decision.approve)
    assert "does not answer" in inbox.message.value
    server.start()
    until(lambda: True if "1 waiting." in inbox.status.value else None)
    until(lambda: True if dashboard.status.value == "" or "answer" not in dashboard.status.value else None)
    assert next(iter(inbox.rows.shown.values())) is first, "what somebody types there is kept"
    click(first.decision.approve)
    assert ": approved" in inbox.message.value
    server.wait(execution, "succeeded")
    until(lambda: True if "succeeded 1" in dashboard.counts.value else None)
    inbox.close()
    dashboard.close()
