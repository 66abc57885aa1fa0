"""Deployed workflows in the console: deploy, look, run, roll back, edit settings, undeploy."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.test_console import Person, person
from tests.server.test_deployed import deploy
from tests.support.notebooks import cell, write
from tests.support.server import Server

__all__ = ["person"]

ASK = cell("pd.flow.suspend(reason='<b>look</b>');", "ask")


@pytest.fixture
def orders(shared_server: Server) -> Iterator[str]:
    """A workflow in its second version."""
    deploy(shared_server, "orders", ASK, queue=5)
    deploy(shared_server, "orders", ASK, cell("'<i>new</i>'", "new"), queue=5, concurrency=2)
    yield "orders"
    shared_server.http.delete("/workflows/orders")


def seen(page: str) -> str:
    found = re.search(r'name="seen" value="(\w+)"', page)
    assert found
    return found[1]


def settings(server: Server) -> Any:
    return json.loads((server.root / "orders.ipynb").read_text())["metadata"].get("flownb")


def test_a_notebook_is_deployed_from_the_list(person: Person, shared_server: Server) -> None:
    write(shared_server.root, "fresh.ipynb", "1")
    assert '<option value="fresh.ipynb">' in person.page("workflows")
    page = person.after("workflows/deploy", notebook="fresh.ipynb", name="")
    assert "The notebook is deployed." in page
    assert f'value="{shared_server.http.get("/workflows/fresh").json()["hook_url"]}"' in page
    assert 'href="/flownb/deployed/fresh"' in person.page("workflows")
    assert "starts nothing any more" in person.after("deployed/fresh/undeploy")
    assert "undeployed" in person.page("workflows")
    assert person.send("workflows/deploy", notebook="none.ipynb").status_code == 404


def test_the_page_shows_versions_with_their_changes_and_rolls_back(person: Person, orders: str) -> None:
    page = person.page(f"deployed/{orders}")
    assert "2 at once, 5 waiting" in page
    assert "It is what is deployed." in page
    changes = person.page(f"deployed/{orders}/versions/2")
    assert "cell 2 (new) added" in changes
    assert "+&#39;&lt;i&gt;new&lt;/i&gt;&#39;" in changes
    assert "cell 1 (ask) added" in person.page(f"deployed/{orders}/versions/2", **{"from": "0"})
    rolled = person.after(f"deployed/{orders}/rollback", number="1")
    assert "The earlier version is current again." in rolled
    assert "It has changed since version 3 was deployed." in rolled
    assert person.http.get(f"deployed/{orders}/versions/9").status_code == 404
    assert person.http.get("deployed/nobody").status_code == 404


def test_it_is_run_now_and_what_waits_is_shown(person: Person, orders: str, shared_server: Server) -> None:
    assert "The execution was started." in person.after(f"deployed/{orders}/start", data='{"a": 1}')
    found = shared_server.http.get(f"/executions?workflow={orders}").json()["executions"][0]
    assert found["trigger"]["event"] == {"body": {"a": 1}}
    shared_server.wait(found["id"], "suspended")
    page = person.page(f"deployed/{orders}")
    assert f"executions/{found['id']}" in page
    assert "&lt;b&gt;look&lt;/b&gt;" in page
    shared_server.post(found["id"], "cancel")


def test_a_hook_url_is_replaced(person: Person, orders: str, shared_server: Server) -> None:
    before = shared_server.http.get(f"/workflows/{orders}").json()["hook_url"]
    page = person.after(f"deployed/{orders}/hook")
    assert before not in page
    assert "There is a new hook URL." in page


def test_settings_are_written_into_the_notebook_and_then_deployed(
    person: Person, orders: str, shared_server: Server
) -> None:
    page = person.page(f"deployed/{orders}")
    assert "queue: 5\nconcurrency: 2\n" in page
    after = person.after(f"deployed/{orders}/settings", settings="queue: 7\r\ntimeout: 5m", seen=seen(page))
    assert "The settings are in the notebook." in after
    assert settings(shared_server) == {"queue": 7, "timeout": "5m"}
    assert "Setting <code>timeout</code>" in after
    assert "Deploy it as it is now" in after
    person.after("workflows/deploy", notebook="orders.ipynb", name=orders)
    assert shared_server.http.get(f"/workflows/{orders}").json()["settings"] == {"queue": 7, "timeout": "5m"}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("queue: 0", "`queue` must be at least 1"),
        ("tmeout: 1", "there is no setting 'tmeout'"),
        ("{", "this is not YAML"),
    ],
)
def test_settings_that_cannot_be_are_shown_again_with_what_is_wrong(
    person: Person, orders: str, shared_server: Server, typed: str, said: str
) -> None:
    before = settings(shared_server)
    page = person.page(f"deployed/{orders}")
    answer = person.send(f"deployed/{orders}/settings", settings=typed, seen=seen(page))
    assert answer.status_code == 422
    assert said in html.unescape(answer.text)
    assert f"\n{typed}</textarea>" in answer.text
    assert settings(shared_server) == before


def test_settings_that_changed_meanwhile_are_not_overwritten(
    person: Person, orders: str, shared_server: Server
) -> None:
    page = person.page(f"deployed/{orders}")
    write(shared_server.root, "orders.ipynb", ASK, flownb={"queue": 9})
    assert person.send(f"deployed/{orders}/settings", settings="queue: 7", seen=seen(page)).status_code == 409
    assert settings(shared_server) == {"queue": 9}


def test_an_open_notebook_is_warned_of(person: Person, orders: str, shared_server: Server) -> None:
    sessions = shared_server.api.replace("/flownb/api", "/api/sessions")
    wish = {"path": "orders.ipynb", "type": "notebook", "name": "", "kernel": {"name": "python3"}}
    assert "is open in Jupyter" not in person.page(f"deployed/{orders}")
    opened = shared_server.http.post(sessions, json=wish).json()
    assert "is open in Jupyter" in person.page(f"deployed/{orders}")
    shared_server.http.delete(f"{sessions}/{opened['id']}")
