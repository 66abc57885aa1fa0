"""A real JupyterHub behind configurable-http-proxy: flownb in a user's server, and as a service of a team."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.hub.hub import Hub, Person
from tests.support.notebooks import cell, write
from tests.support.server import returned, step

pytest.importorskip("jupyterhub", reason="jupyterhub is not installed")
if shutil.which("configurable-http-proxy") is None:
    pytest.skip("configurable-http-proxy is not installed (npm)", allow_module_level=True)

FIND = "from contextlib import closing\nfrom flownb.client import find\nfrom flownb.widgets import Inbox"
ALONE = "inbox = Inbox()\nwith closing(find()) as client:\n    found = client.health()['status']"


@pytest.fixture(scope="module")
def hub(folders: Callable[[], Path]) -> Iterator[Hub]:
    hub = Hub(folders()).start()
    yield hub
    hub.close()


@pytest.fixture(scope="module")
def ann(hub: Hub) -> Iterator[Person]:
    ann = Person(hub, "ann", "user/ann/")
    ann.start_server()
    yield ann
    ann.http.close()


@pytest.fixture(scope="module")
def team(hub: Hub) -> Iterator[dict[str, Person]]:
    """Those who know of the service, and one who does not belong."""
    people = {name: Person(hub, name, "services/flownb/") for name in ("ann", "bob", "cleo", "dora")}
    for person in people.values():
        person.look()
    yield people
    for person in people.values():
        person.http.close()


def test_a_users_workflow_goes_on_by_an_anonymous_request_through_the_proxy(hub: Hub, ann: Person) -> None:
    home = hub.folder / "home" / "ann"
    write(home, "ask.ipynb", cell("links = pd.flow.suspend()", "ask"), cell(f"{FIND}\n{ALONE}\nfound", "find"))
    refused = ann.http.post(f"{ann.place}flownb/api/executions", json={"notebook": "ask.ipynb"})
    assert refused.status_code == 403
    assert "_xsrf" in refused.json()["message"]
    execution = ann.start("ask.ipynb")
    links = ann.wait(execution, "suspended")["waiting"]
    assert links["resume_url"].startswith(f"{hub.url}user/ann/flownb/resume/")
    assert httpx.get(links["review_url"], headers={"Accept": "text/html"}).status_code == 200
    answer = httpx.post(links["resume_url"], json={"fine": True}, headers={"Origin": "https://elsewhere.example"})
    assert (answer.status_code, answer.json()["status"]) == (200, "resumed")
    ended = ann.wait(execution, "succeeded")
    data = step(ended, "ask")["exports"]["$resume_data"]
    assert data["body"] == {"fine": True}
    assert returned(ended, "find") == "active"
    assert "links work only while it runs" in hub.log.read_text()


def test_nobody_else_reaches_a_users_server_but_by_links(hub: Hub, ann: Person) -> None:
    other = Person(hub, "bob", "user/ann/")
    assert other.look().status_code == 403
    assert other.api("GET", "executions").status_code == 403
    assert httpx.get(f"{hub.url}user/ann/flownb/api/executions").status_code == 403
    other.http.close()


def test_a_link_to_a_server_that_does_not_run_leads_to_the_hub(hub: Hub) -> None:
    link = f"{hub.url}user/zoe/flownb/resume/any"
    assert httpx.get(link).headers["location"].endswith("/hub/user/zoe/flownb/resume/any")
    assert httpx.post(link).status_code == 403


def test_two_hub_users_approve_in_the_service_as_who_they_are(hub: Hub, team: dict[str, Person]) -> None:
    asks = "links = pd.flow.suspend(approvals=2, approvers=['ann', 'bob', 'cleo'], not_self=True)"
    write(hub.team, "two.ipynb", cell(asks, "ask"), cell(f"{FIND}\n{ALONE}\nfound", "find"))
    ann, bob, cleo = team["ann"], team["bob"], team["cleo"]
    execution = ann.start("two.ipynb")
    waiting = ann.wait(execution, "suspended")["waiting"]
    assert waiting["resume_url"].startswith(f"{hub.url}services/flownb/flownb/resume/")
    assert httpx.post(waiting["resume_url"]).json()["status"] == "not_approver"
    of = {"pause": waiting["pause"]}
    assert ann.api("POST", f"executions/{execution}/resume", json=of).json()["status"] == "not_self"
    assert bob.api("POST", f"executions/{execution}/resume", json=of).json()["status"] == "approved"
    page = cleo.look(f"flownb/executions/{execution}")
    form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    answer = cleo.http.post(f"{page.url}/decide", data={**form, "act": "resume"})
    assert answer.status_code == 200, answer.text
    ended = ann.wait(execution, "succeeded")
    assert [one["user"] for one in step(ended, "ask")["exports"]["$resume_data"]["approvals"]] == ["bob", "cleo"]
    assert returned(ended, "find") == "active"


def test_who_is_not_of_the_team_is_refused_and_approvers_run_no_code_of_theirs(team: dict[str, Person]) -> None:
    assert team["dora"].look().status_code == 403
    assert team["dora"].api("GET", "executions").status_code == 403
    assert team["bob"].look("api/contents").status_code == 403
    assert team["bob"].api("POST", "doctor", json={"python": "/bin/true"}).status_code == 403
    assert team["ann"].look("api/contents").status_code == 200


def test_a_users_kernel_decides_in_the_service_as_that_user(hub: Hub, ann: Person, team: dict[str, Person]) -> None:
    write(hub.team, "one.ipynb", cell("links = pd.flow.suspend(approvals=1, approvers=['ann'])", "ask"))
    waits = team["bob"].start("one.ipynb")
    pause = team["bob"].wait(waits, "suspended")["waiting"]["pause"]
    decide = f"client.resume('{waits}', pause='{pause}')['status']"
    url = f"{hub.url}services/flownb/"
    source = f"{FIND}\nwith closing(find({url!r})) as client:\n    said = {decide}\nsaid"
    write(hub.folder / "home" / "ann", "afar.ipynb", cell(source, "decide"))
    assert returned(ann.wait(ann.start("afar.ipynb"), "succeeded"), "decide") == "resumed"
    ended = team["bob"].wait(waits, "succeeded")
    assert ended["pauses"][-1]["decision"]["user"] == "ann"
