"""Several approvers: each counts once, as who they are, and only those who are asked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conftest import MakeServer
from tests.support.notebooks import cell, write
from tests.support.people import SETTING
from tests.support.server import Server, step

BOB = "bob@example.org"
TWO = f"approvals=2, approvers=['ann', {BOB!r}, 'cleo']"


@pytest.fixture(scope="module")
def server(folders: Any) -> Iterator[Server]:
    server = Server(folders(), SETTING).start()
    yield server
    server.close()


def ask(server: Server, options: str) -> tuple[str, dict[str, str]]:
    """An execution that waits for approvals, and the links that its step has."""
    keep = (
        "import json, pathlib\npathlib.Path(pd.context.trace_id).write_text(json.dumps([links, links.approver_urls]))"
    )
    execution = server.run(cell(f"links = pd.flow.suspend({options})\n{keep}", "ask"), cell("pd.context", "next"))
    server.wait(execution, "suspended")
    links, approvers = json.loads((server.root / execution).read_text())
    return execution, {**links, **approvers}


def by(server: Server, who: str, execution: str, action: str = "resume", **said: Any) -> tuple[int, str]:
    pause = server.get(execution)["pauses"][-1]
    of = f"{pause['step']}/{pause['run']}/{pause['attempt']}"
    answer = server.http.post(f"/executions/{execution}/{action}", json={"pause": of, **said}, headers={"X-User": who})
    return answer.status_code, answer.json()["status"]


def test_two_of_three_approve_and_each_counts_once(server: Server) -> None:
    execution, _ = ask(server, TWO)
    waiting = server.get(execution)["waiting"]["approvals"]
    assert (waiting["needed"], waiting["missing"], waiting["silent"]) == (2, 2, ["ann", BOB, "cleo"])
    assert by(server, "ann", execution, data={"n": 1}, comment="fine") == (202, "approved")
    assert by(server, "ann", execution) == (200, "already_approved")
    console = server.http.get(f"http://127.0.0.1:{server.port}/flownb/executions/{execution}").text
    assert "needs 2 approvals, 1 of 2 there: waiting for bob@example.org, cleo" in console
    assert by(server, "dora", execution) == (403, "not_approver")
    assert server.get(execution)["waiting"]["approvals"]["silent"] == [BOB, "cleo"]
    server.kill()
    server.start()
    assert by(server, "cleo", execution, data={"n": 2}) == (200, "resumed")
    ended = server.wait(execution, "succeeded")
    data = step(ended, "ask")["exports"]["$resume_data"]
    assert data["body"] == {"n": 2}
    assert [(one["by"], one["user"], one["comment"], one["body"]) for one in data["approvals"]] == [
        ("Ann", "ann", "fine", {"n": 1}),
        ("Cleo", "cleo", None, {"n": 2}),
    ]
    context = step(ended, "next")["exports"]["$return_value"]
    assert context["resumed_by"]["name"] == "Cleo"
    assert context["resume"] == data
    (pause,) = ended["pauses"]
    assert [one["login"] for one in pause["approvals"]["given"]] == ["ann", "cleo"]


def test_a_link_of_their_own_says_who_they_are_and_no_other_link_does(server: Server) -> None:
    execution, links = ask(server, TWO)
    plain = httpx.post(links["resume_url"])
    assert (plain.status_code, plain.json()["status"]) == (403, "not_approver")
    root, _, secret = links[BOB].rpartition("/")
    head, _, proof = secret.split(".")
    forged = httpx.get(f"{root}/{head}.YW5u.{proof}")
    assert forged.status_code == 404
    page = httpx.get(links[BOB])
    assert page.status_code == 200
    assert "needs 2 approvals" in page.text
    assert by(server, "ann", execution) == (202, "approved")
    page = httpx.get(links[BOB])
    assert "1 of 2" in page.text
    given = dict(re.findall(r'name="(nonce|shown)" value="([^"]*)"', page.text))
    sent = httpx.post(links[BOB], data={**given, "act": "resume", "comment": "good"}, follow_redirects=True)
    assert "Approved" in sent.text
    data = step(server.wait(execution, "succeeded"), "ask")["exports"]["$resume_data"]
    assert [(one["user"], one["comment"]) for one in data["approvals"]] == [("ann", None), (BOB, "good")]


def test_one_cancel_of_an_approver_ends_it(server: Server) -> None:
    execution, links = ask(server, TWO)
    assert by(server, "dora", execution, "cancel") == (403, "not_approver")
    assert httpx.post(links["cancel_url"]).status_code == 403
    assert by(server, "ann", execution) == (202, "approved")
    assert by(server, "cleo", execution, "cancel") == (200, "cancelled")
    assert server.get(execution)["status"] == "cancelled"
    assert by(server, "ann", execution) == (409, "already_cancelled")


def test_who_may_write_may_end_the_execution_without_deciding_for_anybody(server: Server) -> None:
    execution, _ = ask(server, TWO)
    assert server.post(execution, "resume").status_code == 403
    assert server.post(execution, "cancel").json()["status"] == "cancelled"


def test_whoever_started_it_does_not_approve_it(server: Server) -> None:
    path = "own.ipynb"
    write(server.root, path, cell("pd.flow.suspend(not_self=True);", "ask"), cell("1", "next"))
    started = server.http.post("/executions", json={"notebook": path}, headers={"X-User": "ann"}).json()["id"]
    server.wait(started, "suspended")
    assert by(server, "ann", started) == (403, "not_self")
    assert server.post(started, "resume").status_code == 403  # nobody knows who that is
    assert by(server, "bea", started) == (200, "resumed")
    server.wait(started, "succeeded")


def test_the_data_of_each_fills_the_form(server: Server) -> None:
    form = "form={'type': 'object', 'required': ['n']}, "
    execution, _ = ask(server, form + TWO)
    assert by(server, "ann", execution, data={}) == (422, "invalid")
    assert by(server, "ann", execution, data={"n": 1}) == (202, "approved")
    assert by(server, "cleo", execution, data={"n": 1}) == (200, "resumed")


def test_after_a_while_others_are_asked_too(make_server: MakeServer) -> None:
    server = make_server(SETTING, moving_clock=True).start()
    more = "approvers=['ann'], escalate_after=3_600_000, escalate_to=['boss'], remind_every=600_000"
    execution, _ = ask(server, more)
    assert by(server, "boss", execution) == (403, "not_approver")
    server.advance(minutes=60)
    server.until(lambda: server.get(execution)["waiting"]["approvals"]["escalated"])
    assert by(server, "boss", execution) == (200, "resumed")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("approvals=3, approvers=['a', 'b']", "there are only 2 approvers"),
        ("approvals=0", "1 or more"),
        ("approvers=[]", "a list of names"),
        ("approvers=['a', 'a']", "named twice"),
        ("approvers=['a@b@c']", "an address like"),
        ("approvers=['a'], escalate_after=60_000", "give both"),
        ("not_self=1", "True or False"),
    ],
)
def test_what_cannot_be_is_refused_at_the_call(server: Server, options: str, said: str) -> None:
    failed = server.wait(server.run(f"pd.flow.suspend({options})"), "failed")
    assert (failed["reason"], said in failed["error"]["evalue"]) == ("InvalidValue", True), failed["error"]["evalue"]
