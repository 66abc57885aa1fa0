"""Waiting for the first of several: exactly one wins, and the links of the others say so.

Kernels are kept, or the server is killed: what answers is the same where kernels alone are dropped.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.server.test_deployed import deploy
from tests.support.modes import EXTREMES
from tests.support.notebooks import cell
from tests.support.server import Server, step

TWO = "pd.flow.wait([pd.flow.request('yes'), pd.flow.request('no')]);"
LINKS = "links = {}\nimport json, pathlib\npathlib.Path(pd.context.trace_id).write_text(json.dumps(links))"


def waiting(server: Server, call: str) -> tuple[str, dict[str, Any]]:
    """An execution that waits, and what it waits for."""
    execution = server.run(cell(call, "ask"), cell("pd.context.resume", "next"))
    return execution, server.wait(execution, "suspended")["waiting"]


def links_of(waits: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["resume_url"] for one in waits["alternatives"]}


def told(server: Server, execution: str) -> Any:
    return step(server.wait(execution, "succeeded"), "ask")["exports"]["$resume_data"]


@pytest.mark.parametrize("each_server", EXTREMES, indirect=True)
def test_one_of_two_requests_wins_and_the_link_of_the_other_is_void(each_server: Server) -> None:
    execution, waits = waiting(each_server, TWO)
    assert (waits["kind"], [one["name"] for one in waits["alternatives"]]) == ("wait", ["yes", "no"])
    links = links_of(waits)
    assert httpx.post(links["no"], json={"why": "late"}).json()["status"] == "resumed"
    for _ in range(2):
        lost = httpx.post(links["yes"])
        assert (lost.status_code, lost.json()["status"]) == (410, "expired")
        again = httpx.post(links["no"])
        assert (again.status_code, again.json()["status"]) == (200, "already_resumed")
        opposite = httpx.post(waits["cancel_url"])
        assert (opposite.status_code, opposite.json()["status"]) == (409, "already_resumed")
    data = told(each_server, execution)
    assert (data["which"], data["body"], data["method"]) == ("no", {"why": "late"}, "POST")
    assert step(each_server.get(execution), "next")["exports"]["$return_value"] == data


@pytest.mark.parametrize("each_server", EXTREMES, indirect=True)
def test_the_links_work_from_the_moment_the_call_returns(each_server: Server) -> None:
    early = """
import urllib.request
links = pd.flow.wait([pd.flow.request("yes"), pd.flow.form({"type": "integer"})])
print(links)
for body in (b'"no number"', b"7"):
    request = urllib.request.Request(links["form"]["resume_url"], body, {"Content-Type": "application/json"})
    try:
        print(urllib.request.urlopen(request).status)
    except urllib.error.HTTPError as error:
        print(error.code)
"""
    execution = each_server.run(cell(early, "ask"), cell("pd.context.resume['body']", "next"))
    ended = each_server.wait(execution, "succeeded")
    assert step(ended, "next")["exports"]["$return_value"] == 7
    shown = each_server.http.get(f"/executions/{execution}/notebook").json()["cells"][0]["outputs"][0]["text"]
    assert "…" in "".join(shown)
    assert "".join(shown).endswith("202\n")


def test_an_altered_link_is_as_unknown_as_any(shared_server: Server) -> None:
    execution, waits = waiting(shared_server, TWO)
    url = links_of(waits)["yes"]
    root, _, secret = url.rpartition("/")
    head, name, proof = secret.split(".")
    other = links_of(waits)["no"].rpartition("/")[2].split(".")[1]
    altered = [
        f"{root}/{head}.{other}.{proof}",
        f"{root}/{head}.{name}.{proof[:-1]}",
        f"{root}/{head}.{name}.",
        f"{root}/{head}=.{name}.{proof}",
        f"{root}/{head}.{name}=.{proof}",
        f"{root}/{'A' * len(head)}.{name}.{proof}",
        f"{root}/{head}.{name}",
        f"{root}/{head}.%ff.{proof}",
        url.replace("/resume/", "/cancel/"),
        f"{root}/{'A' * 43}",
    ]
    answers = [httpx.post(one) for one in altered]
    assert {(answer.status_code, answer.text) for answer in answers} == {(404, answers[0].text)}
    assert shared_server.get(execution)["status"] == "suspended"


def test_no_secret_of_an_alternative_is_in_data_or_logs(shared_server: Server) -> None:
    execution, waits = waiting(shared_server, TWO)
    links = links_of(waits)
    httpx.post(links["yes"], json=links, params={"at": links["no"]}, headers={"X-Echo": waits["cancel_url"]})
    data = told(shared_server, execution)
    for url in (*links.values(), waits["cancel_url"]):
        assert url.rpartition("/")[2] not in str(data)
        assert url.rpartition("/")[2] not in shared_server.log.read_text()


@pytest.mark.parametrize("timed_server", EXTREMES, indirect=True)
def test_a_timer_wins_where_nobody_comes(timed_server: Server) -> None:
    call = (
        "pd.flow.wait([pd.flow.request(), pd.flow.timer(60_000), pd.flow.timer(3_600_000, 'later')], timeout=120_000);"
    )
    execution, waits = waiting(timed_server, call)
    timed_server.advance(minutes=1)
    data = told(timed_server, execution)
    assert (data["which"], data["body"], data["method"]) == ("timer", None, None)
    late = httpx.post(links_of(waits)["request"])
    assert (late.status_code, late.json()["status"]) == (410, "expired")
    (pause,) = timed_server.get(execution)["pauses"]
    assert (pause["ended_by"], pause["decision"]["which"]) == ("timer", "timer")


@pytest.mark.parametrize("timed_server", EXTREMES, indirect=True)
@pytest.mark.parametrize(
    ("on_timeout", "status"), [("resume", "succeeded"), ("cancel", "cancelled"), ("error", "failed")]
)
def test_at_the_timeout_none_has_won(timed_server: Server, on_timeout: str, status: str) -> None:
    call = f"pd.flow.wait([pd.flow.request(), pd.flow.timer(3_600_000)], 60_000, {on_timeout!r});"
    execution, _ = waiting(timed_server, call)
    timed_server.advance(minutes=1)
    ended = timed_server.wait(execution, status)
    assert "$resume_data" not in step(ended, "ask")["exports"]


def test_by_the_api_an_alternative_is_named(shared_server: Server) -> None:
    execution, waits = waiting(shared_server, TWO)
    unnamed = shared_server.post(execution, "resume", data=1)
    assert (unnamed.status_code, unnamed.json()["status"]) == (409, "which_required")
    unknown = shared_server.post(execution, "resume", which="maybe")
    assert (unknown.status_code, unknown.json()["status"]) == (410, "expired")
    assert (
        shared_server.post(execution, "resume", which="yes", pause=waits["pause"], data=1).json()["status"] == "resumed"
    )
    assert told(shared_server, execution)["which"] == "yes"


def test_many_requests_an_event_and_a_timer_race_and_one_wins(make_server: Any) -> None:
    server = make_server(moving_clock=True).start()
    requests = "pd.flow.request('a'), pd.flow.request('b')"
    count = cell("with open(pd.context.trace_id, 'a') as file: file.write('.')", "next")
    for event in ("one", "two", "three", "four"):
        call = f"pd.flow.wait([{requests}, pd.flow.event({event!r}), pd.flow.timer(60_000)]);"
        execution = server.run(cell(call, "ask"), count)
        links = links_of(server.wait(execution, "suspended")["waiting"])
        with ThreadPoolExecutor(12) as pool:
            asked = [pool.submit(httpx.post, links[name]) for name in "abab"]
            emitted = pool.submit(server.http.post, "/events", json={"event": event})
            pool.submit(server.advance, minutes=1)
        (pause,) = server.wait(execution, "succeeded")["pauses"]
        by_link = [one.result().json()["status"] for one in asked].count("resumed")
        by_event = execution in emitted.result().json()["resumed"]
        by_timer = pause["ended_by"] == "timer"
        assert by_link + by_event + by_timer == 1
        assert (server.root / execution).read_text() == "."


def test_a_wait_survives_a_crash(make_server: Any) -> None:
    server = make_server().start()
    deploy(server, "child", "pd.flow.suspend();", "'done'")
    call = "pd.flow.wait([pd.flow.request('yes'), pd.flow.event('go'), pd.flow.workflow('child')]);"
    execution, waits = waiting(server, call)
    server.kill()
    server.start()
    assert server.http.post("/events", json={"event": "go", "data": 5}).json()["resumed"] == [execution]
    assert told(server, execution)["body"] == 5
    assert httpx.post(links_of(waits)["yes"]).status_code == 410
