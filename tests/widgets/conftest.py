"""One server for this folder's tests, and hands for their widgets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from flownb.widgets import Inbox
from tests.client_support import Server, environment, server, until

__all__ = ["environment", "server"]


@pytest.fixture(autouse=True)
def nobody_stays() -> Iterator[None]:
    """What is closed leaves no thread."""
    yield
    until(lambda: True if not threads() else None)


def threads() -> list[str]:
    """Those that tell widgets of changes."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("flownb-")]


@pytest.fixture
def nothing_waits(server: Server) -> None:
    """Whatever tests before have left is over."""
    server.client.decide_many(
        "cancel", [one["id"] for one in server.client.executions(status="suspended")["executions"]]
    )


@pytest.fixture
def inbox(server: Server, nothing_waits: None) -> Iterator[Inbox]:
    made = Inbox(server.client.url, kind="all", name="Ana")
    yield made
    made.close()


def click(*buttons: Any) -> None:
    """As front ends do it: each in a thread of its own."""
    clicked = [threading.Thread(target=button.click) for button in buttons]
    for thread in clicked:
        thread.start()
    for thread in clicked:
        thread.join(30)


def hidden(widget: Any) -> bool:
    """Whether people do not see it."""
    return bool(widget.layout.display == "none")


def status(server: Server, execution: dict[str, Any]) -> Any:
    """How it ended."""
    *_, ended = server.client.follow(execution["id"])
    return ended["status"]


def row(inbox: Inbox, execution: dict[str, Any]) -> Any:
    """The row of an execution, once it is there."""
    return until(lambda: next((one for key, one in inbox.rows.shown.items() if key.startswith(execution["id"])), None))


def gone(inbox: Inbox, execution: dict[str, Any]) -> None:
    """Returns when no row of it is left."""
    until(lambda: True if not any(key.startswith(execution["id"]) for key in inbox.rows.shown) else None)
