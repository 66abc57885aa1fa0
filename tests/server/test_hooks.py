"""The HTTP trigger: what starts a workflow, what is refused, and what its event is."""

from __future__ import annotations

import hashlib
import hmac
import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.test_deployed import deploy
from tests.support.server import Server, free_port, returned

EVENT = "pd.steps.trigger.event"
SECRETS = {"HOOK_SECRET": "a-secret-of-hooks", "EMPTY_SECRET": ""}
NOTHING: dict[str, Any] = {}


@pytest.fixture(scope="module")
def server(folders: Callable[[], Path]) -> Iterator[Server]:
    server = Server(folders())
    server.environment |= {f"FLOWNB_SECRET_{name}": value for name, value in SECRETS.items()}
    yield server.start()
    server.close()


@pytest.fixture(scope="module")
def echo(server: Server) -> str:
    """The hook of a workflow that returns its event."""
    return str(deploy(server, "echo", EVENT)["hook_url"])


def started(server: Server, answer: httpx.Response) -> dict[str, Any]:
    """The execution that a request has started, once it has succeeded."""
    assert (answer.status_code, answer.json()["status"]) == (200, "accepted"), answer.text
    return server.wait(answer.json()["execution"], "succeeded")


def of(server: Server, name: str) -> list[dict[str, Any]]:
    """All executions of a workflow."""
    found: list[dict[str, Any]] = server.http.get("/executions", params={"workflow": name}).json()["executions"]
    return found


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        ({"method": "GET"}, None),
        ({"method": "POST", "json": {"n": [1, 2.5, None]}}, {"n": [1, 2.5, None]}),
        ({"method": "POST", "data": {"name": "Ada", "tag": ["x", "y"]}}, {"name": "Ada", "tag": ["x", "y"]}),
        ({"method": "PUT", "content": "plain wörds", "headers": {"Content-Type": "text/plain"}}, "plain wörds"),
        ({"method": "PATCH", "content": b"\xff\x00"}, {"base64": "/wA="}),
        ({"method": "DELETE"}, None),
        ({"method": "POST", "json": ["x" * 100_000]}, ["x" * 100_000]),
    ],
    ids=["get", "json", "form", "text", "bytes", "delete", "large"],
)
def test_any_method_and_any_body_starts_the_workflow_and_is_its_event(
    server: Server, echo: str, request_: dict[str, Any], body: Any
) -> None:
    execution = started(server, httpx.request(url=f"{echo}/a/%C3%A4?x=1&y=2&y=", **request_))
    event = returned(execution, "step_1")
    assert set(event) == {"method", "path", "url", "query", "headers", "client_ip", "body"}
    assert (event["method"], event["body"], event["client_ip"]) == (request_["method"], body, "127.0.0.1")
    assert (event["path"], event["query"]) == ("/a/%C3%A4", {"x": "1", "y": ["2", ""]})
    assert event["url"] == f"{echo.rpartition('/')[0]}/…/a/%C3%A4"
    assert (execution["trigger"]["type"], execution["trigger"]["event"]) == ("http", event)


def test_the_secret_of_the_url_is_in_no_event_and_no_log(server: Server, echo: str) -> None:
    secret = echo.rpartition("/")[2]
    headers = {"Referer": echo, "Cookie": "a=b", "X-Echo": echo}
    event = started(server, httpx.post(echo, headers=headers, params={"at": echo}, json=[echo]))["trigger"]["event"]
    assert event["path"] == "/"
    assert not {"cookie", "referer"} & set(event["headers"])
    httpx.post(f"{echo[:-1]}!")
    httpx.post(f"{echo.replace(secret, f'%{ord(secret[0]):02x}{secret[1:]}')}/b", json=[echo])
    assert secret not in str(of(server, "echo"))
    assert secret not in server.log.read_text()


def test_unknown_altered_and_undeployed_hooks_have_one_answer(server: Server) -> None:
    gone = deploy(server, "gone", EVENT)["hook_url"]
    server.http.delete("/workflows/gone")
    answers = [httpx.post(url, json={}) for url in (gone, gone[:-1] + "!", gone.rpartition("/")[0] + "/", f"{gone}x/y")]
    assert {(answer.status_code, answer.text) for answer in answers} == {(404, answers[0].text)}
    assert answers[0].json()["reason"] == "not_found"
    assert httpx.head(gone).status_code == 404
    assert of(server, "gone") == []


def test_what_only_asks_starts_nothing(server: Server, echo: str) -> None:
    before = len(of(server, "echo"))
    asked = httpx.options(echo, headers={"Origin": "https://a.example", "Access-Control-Request-Headers": "x-a"})
    assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]
    assert asked.headers["Access-Control-Allow-Headers"] == "x-a"
    assert httpx.head(echo).status_code == 200
    for name, value in (("Sec-Purpose", "prefetch;prerender"), ("Purpose", "preview"), ("X-Moz", "prefetch")):
        assert httpx.get(echo, headers={name: value}).status_code == 204
    assert len(of(server, "echo")) == before


def test_a_browser_has_a_page_and_a_script_of_another_site_may_read_the_answer(server: Server, echo: str) -> None:
    page = httpx.get(echo, headers={"Accept": "text/html", "Origin": "https://a.example"})
    assert page.headers["Content-Type"].startswith("text/html")
    assert "<h1>Accepted</h1>" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("request_", "code", "reason"),
    [
        ({"content": b"x" * 2000}, 413, "too_large"),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400, "unreadable_body"),
        ({"content": b"x", "headers": {"Content-Encoding": "gzip"}}, 415, "unreadable_body"),
        ({"content": b"x", "headers": {"X-Delivery": "k" * 201}}, 400, "key_too_long"),
    ],
)
def test_what_cannot_be_taken_is_refused_and_nothing_is_stored(
    server: Server, request_: dict[str, Any], code: int, reason: str
) -> None:
    hook = deploy(server, "narrow", EVENT, http={"max_body_bytes": 1000, "idempotency_header": "X-Delivery"})
    answer = httpx.post(hook["hook_url"], **request_)
    assert (answer.status_code, answer.json()["reason"]) == (code, reason)
    assert of(server, "narrow") == []


def test_a_workflow_may_take_more_than_the_server_does_by_default(server: Server) -> None:
    hook = deploy(server, "wide", "len(pd.steps.trigger.event.body)", http={"max_body_bytes": 3_000_000})["hook_url"]
    answer = httpx.post(hook, content="x" * 2_000_000, headers={"Content-Type": "text/plain"})
    assert returned(started(server, answer), "step_1") == 2_000_000


def signature(body: bytes) -> str:
    return hmac.new(SECRETS["HOOK_SECRET"].encode(), body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        ({"type": "bearer"}, {"Authorization": "Bearer a-secret-of-hooks"}),
        ({"type": "hmac", "header": "X-Shop"}, {"X-Shop": signature(b'{"a": 1}')}),
        ({"type": "github"}, {"X-Hub-Signature-256": "sha256=" + signature(b'{"a": 1}')}),
    ],
    ids=["bearer", "hmac", "github"],
)
def test_who_cannot_prove_that_they_may_starts_nothing(
    server: Server, auth: dict[str, Any], headers: dict[str, str]
) -> None:
    name = f"proven-{auth['type']}"
    hook = deploy(server, name, EVENT, http={"auth": {**auth, "secret": "HOOK_SECRET"}})["hook_url"]
    kind = {"Content-Type": "application/json"}
    for wrong in (NOTHING, {header: value[:-1] + "!" for header, value in headers.items()}):
        refused = httpx.post(hook, content=b'{"a": 1}', headers=kind | wrong)
        assert (refused.status_code, refused.json()["reason"]) == (401, "unauthorized")
        assert ("WWW-Authenticate" in refused.headers) == (auth["type"] == "bearer")
    assert of(server, name) == []
    event = started(server, httpx.post(hook, content=b'{"a": 1}', headers=kind | headers))["trigger"]["event"]
    assert event["body"] == {"a": 1}
    assert not {header.lower() for header in headers} & set(event["headers"])
    assert SECRETS["HOOK_SECRET"] not in server.log.read_text()


@pytest.mark.parametrize("name", ["EMPTY_SECRET", "NO_SUCH_SECRET"])
def test_a_secret_that_is_not_there_is_said_in_the_log_and_nobody_is_let_in(server: Server, name: str) -> None:
    hook = deploy(server, "locked", EVENT, http={"auth": {"type": "bearer", "secret": name}})["hook_url"]
    answer = httpx.post(hook, headers={"Authorization": "Bearer x"})
    assert (answer.status_code, answer.json()["reason"]) == (503, "no_secret")
    assert int(answer.headers["Retry-After"]) >= 1
    assert f"there is no secret '{name}'" in server.log.read_text()
    assert of(server, "locked") == []


def test_a_delivery_that_comes_again_starts_nothing(server: Server) -> None:
    hook = deploy(server, "once", EVENT, http={"idempotency_header": "X-GitHub-Delivery"})["hook_url"]
    other = deploy(server, "other", EVENT, http={"idempotency_header": "X-GitHub-Delivery"})["hook_url"]
    key = {"X-GitHub-Delivery": "72d3162e"}
    first = httpx.post(hook, json={"n": 1}, headers=key)
    assert {httpx.post(hook, json={"n": 1}, headers=key).text for _ in range(2)} == {first.text}
    assert httpx.post(other, headers=key).json()["execution"] != first.json()["execution"]
    assert httpx.post(hook, headers={"X-GitHub-Delivery": "another"}).json()["execution"] != first.json()["execution"]
    assert httpx.post(hook).json()["execution"] != httpx.post(hook).json()["execution"]
    assert len(of(server, "once")) == 4


def test_beyond_the_limit_nothing_is_stored_but_what_was_accepted_is_known_again(server: Server) -> None:
    hook = deploy(server, "limited", EVENT, queue=2)["hook_url"]
    server.http.post("/drain", json={"on": True})
    first, _ = (httpx.post(hook, headers={"Idempotency-Key": key}) for key in "ab")
    full = httpx.post(hook, headers={"Idempotency-Key": "c"})
    assert (full.status_code, full.json()["reason"]) == (429, "queue_full")
    assert int(full.headers["Retry-After"]) >= 1
    assert httpx.post(hook, headers={"Idempotency-Key": "a"}).text == first.text
    assert len(of(server, "limited")) == 2
    server.http.post("/drain", json={"on": False})
    started(server, first)
    assert httpx.post(hook, headers={"Idempotency-Key": "c"}).status_code == 200


def test_an_event_whose_answer_a_crash_swallowed_is_not_started_again(make_server: Any) -> None:
    port = free_port()
    server = make_server(f"--FlowNB.callback_port={port}", "--FlowNB.pool_size=0").start()
    hook = deploy(server, "safe", EVENT)["hook_url"]
    assert f":{port}/flownb/hook/" in hook
    server.kill()
    server.environment["FLOWNB_FAULT"] = "commit.told:4"
    server.start()
    keyed = {"Idempotency-Key": "k"}

    def dies() -> bool:
        try:
            httpx.post(hook, json={"n": 1}, headers=keyed)
        except httpx.TransportError:
            return True
        return False

    server.until(dies)
    server.until(lambda: server.died)
    assert server.died == -signal.SIGKILL
    del server.environment["FLOWNB_FAULT"]
    server.start()
    again = httpx.post(hook, json={"n": 2}, headers=keyed)
    event = started(server, again)["trigger"]["event"]
    assert json.dumps(event["body"]) == '{"n": 1}'
    assert len(of(server, "safe")) == 1


def test_a_server_that_stands_by_asks_to_come_again(make_server: Any) -> None:
    server = make_server().start()
    hook = deploy(server, "echo", EVENT)["hook_url"]
    standby = make_server(root=server.root)
    standby.launch()

    def answers() -> httpx.Response | None:
        try:
            return httpx.post(hook.replace(str(server.port), str(standby.port)))
        except httpx.TransportError:
            return None

    answer = server.until(answers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert of(server, "echo") == []
