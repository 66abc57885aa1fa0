"""``pd.respond``: what the caller of a hook gets, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.test_deployed import deploy
from tests.support.notebooks import cell
from tests.support.server import Server

BROWSER = {"Accept": "text/html"}

IMMEDIATE = """
import os, time
pd.respond({"body": "at once"}, immediate=True)
while not os.path.exists(%r):
    time.sleep(0.01)
"""
ASKS = """
links = pd.flow.suspend()
pd.respond({"status": 202, "body": dict(links), "headers": {"Location": links.review_url}})
"""
FLAKY = """#| retry: {max: 1, first: 9m}
import os
if not os.path.exists("tried"):
    open("tried", "w").close()
    1 / 0
"""


@pytest.fixture(scope="module")
def server(folders: Callable[[], Path]) -> Iterator[Server]:
    server = Server(folders(), moving_clock=True).start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def aside() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def hook(server: Server, name: str, *cells: Any, wait: str = "50m", **settings: Any) -> str:
    """The hook of a workflow whose callers wait."""
    found = deploy(server, name, *cells, http={"respond": True, "wait": wait}, **settings)
    return str(found["hook_url"])


def post(url: str, **options: Any) -> httpx.Response:
    return httpx.post(url, timeout=60, **options)


def only(server: Server, name: str) -> dict[str, Any]:
    """The one execution of a workflow, once there is one."""
    found = server.until(lambda: server.http.get("/executions", params={"workflow": name}).json()["executions"])
    assert len(found) == 1
    return server.get(found[0]["id"])


@pytest.mark.parametrize(
    ("said", "status", "kind", "content"),
    [
        ("{'status': 201, 'body': {'n': pd.steps.trigger.event.body}}", 201, "application/json", b'{"n":7}'),
        ("{'body': 'wörds'}", 200, "text/plain; charset=utf-8", "wörds".encode()),
        ("{'body': b'\\xff', 'headers': {'Content-Type': 'image/x'}}", 200, "image/x", b"\xff"),
        ("{'status': 204, 'headers': {'X-A': 'b'}}", 204, None, b""),
    ],
    ids=["json", "text", "bytes", "nothing"],
)
def test_a_step_answers_at_the_end_of_the_workflow(
    server: Server, said: str, status: int, kind: str | None, content: bytes
) -> None:
    url = hook(server, "answers", f"pd.respond({said})", "pd.respond({'status': 500})")
    answer = post(url, json=7)
    assert (answer.status_code, answer.headers.get("Content-Type"), answer.content) == (status, kind, content)
    assert answer.headers.get("X-A") == ("b" if status == 204 else None)
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "allow-same-origin" not in answer.headers["Content-Security-Policy"]
    newest = server.http.get("/executions", params={"workflow": "answers"}).json()["executions"][0]
    assert newest["status"] == "succeeded"
    assert (newest["response"]["status"], newest["response"]["due"]) == (status, True)
    assert newest["warnings"] == ["step 'step_2' called pd.respond after an answer was given: the first one stands"]


def test_an_immediate_answer_does_not_wait_for_its_step(server: Server) -> None:
    go = server.root / "go"
    step = IMMEDIATE % str(go)
    url = hook(server, "immediate", step)
    assert post(url).text == "at once"
    execution = only(server, "immediate")
    assert (execution["status"], execution["response"]["body"]) == ("running", "at once")
    go.touch()
    assert server.wait(execution["id"], "succeeded")["warnings"] == []


@pytest.mark.parametrize(
    ("name", "cells", "code", "status"),
    [
        ("silent", ["1"], 400, "no_response"),
        ("fails", ["raise ValueError('secret detail')"], 500, "failed"),
        ("pauses", ["pd.flow.suspend()"], 202, "suspended"),
        ("raises", ["pd.respond({'body': 'x'})\n1/0"], 500, "failed"),
    ],
)
def test_without_an_answer_the_caller_is_told_what_came_of_it(
    server: Server, name: str, cells: list[str], code: int, status: str
) -> None:
    url = hook(server, name, *cells)
    answer = post(url, headers={"Idempotency-Key": "k"})
    execution = only(server, name)["id"]
    said = answer.json()
    assert (answer.status_code, said["status"], said["execution"]) == (code, status, execution)
    assert "secret detail" not in answer.text
    if status == "no_response":
        assert said["message"] == "No pd.respond called in workflow"
        assert "No pd.respond called in workflow" in post(url, headers=BROWSER | {"Idempotency-Key": "k"}).text
    assert post(url, headers={"Idempotency-Key": "k"}).text == answer.text


def test_an_answer_before_a_pause_is_given_at_the_pause_with_the_link_and_again_later(server: Server) -> None:
    url = hook(server, "asks", ASKS, "1")
    key = {"Idempotency-Key": "k"}
    answer = post(url, headers=key)
    execution = only(server, "asks")
    assert (answer.status_code, execution["status"]) == (202, "suspended")
    assert answer.json() == {name: execution["waiting"][name] for name in ("resume_url", "cancel_url")}
    assert answer.headers["Location"] == execution["waiting"]["review_url"]
    secret = answer.json()["resume_url"].rpartition("/")[2]
    assert secret not in str(execution["response"])
    for file in server.database.parent.glob("flownb.db*"):
        assert secret.encode() not in file.read_bytes()
    assert httpx.post(answer.json()["resume_url"]).status_code == 200
    server.wait(execution["id"], "succeeded")
    again = post(url, headers=key)
    assert (again.status_code, again.json(), again.headers["Location"]) == (
        202,
        answer.json(),
        answer.headers["Location"],
    )


def test_a_repeated_delivery_waits_for_the_same_answer_and_a_retry_is_no_pause(
    server: Server, aside: ThreadPoolExecutor
) -> None:
    url = hook(server, "twice", FLAKY, "pd.respond({'body': pd.context.trace_id})")
    waiting = [aside.submit(post, url, headers={"Idempotency-Key": "k"}) for _ in range(3)]
    execution = server.wait(only(server, "twice")["id"], "suspended")
    assert not any(one.done() for one in waiting)
    server.advance(minutes=9)
    assert {(one.result().status_code, one.result().text) for one in waiting} == {(200, execution["id"])}


def test_a_cancelled_execution_and_the_end_of_the_wait_are_said(server: Server, aside: ThreadPoolExecutor) -> None:
    server.http.post("/drain", json={"on": True})
    url = hook(server, "queued", "pd.respond({'body': 'late'})", wait="10m")
    waiting: Future[httpx.Response] = aside.submit(post, url, headers={"Idempotency-Key": "a"})
    execution = only(server, "queued")["id"]
    server.advance(minutes=11)
    over = waiting.result()
    assert (over.status_code, over.json()["status"], over.json()["execution"]) == (202, "accepted", execution)
    again = aside.submit(post, url, headers={"Idempotency-Key": "a"})
    server.post(execution, "cancel")
    told = again.result()
    assert (told.status_code, told.json()["status"]) == (409, "cancelled")
    server.http.post("/drain", json={"on": False})


def test_whoever_hangs_up_is_forgotten_and_the_workflow_goes_on(server: Server) -> None:
    server.http.post("/drain", json={"on": True})
    url = hook(server, "left", "pd.respond({'body': 'x'})")
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(url, timeout=httpx.Timeout(60, read=0.3))
    server.http.post("/drain", json={"on": False})
    ended = server.wait(only(server, "left")["id"], "succeeded")
    assert ended["response"]["body"] == "x"
    assert "Traceback" not in server.log.read_text()


def test_a_stop_tells_who_waits_to_come_again_and_the_answer_is_there_then(
    make_server: Any, aside: ThreadPoolExecutor
) -> None:
    server = make_server("--FlowNB.pool_size=0").start()
    server.http.post("/drain", json={"on": True})
    url = hook(server, "later", "pd.respond({'body': 'there'})")
    key = {"Idempotency-Key": "k"}
    waiting = aside.submit(post, url, headers=key)
    only(server, "later")
    server.stop()
    answer = waiting.result()
    assert (answer.status_code, answer.json()["reason"], answer.headers["Retry-After"]) == (503, "stopping", "5")
    server.start()
    assert post(url, headers=key).text == "there"
    assert len(server.http.get("/executions?workflow=later").json()["executions"]) == 1


def test_by_hand_and_without_a_hook_an_answer_is_only_kept(server: Server) -> None:
    ended = server.wait(server.run("pd.respond({'body': [1]})"), "succeeded")
    page = server.http.get(server.api.replace("/api", f"/executions/{ended['id']}"), headers=BROWSER).text
    assert "<dt>Answered</dt><dd>200</dd>" in page
    kept = ended["response"]
    assert kept == {"status": 200, "headers": {"Content-Type": "application/json"}, "body": "[1]", "due": True}
    wrong = server.wait(server.run("pd.respond({'status': 99})"), "failed")
    assert (wrong["error"]["ename"], wrong["response"]) == ("InvalidValue", None)
    setup = server.wait(server.run(cell("pd.respond({})", "s", "setup"), "1"), "failed")
    assert "setup cells may not call pd.respond" in str(setup["error"])


def test_a_secret_in_an_answer_is_masked_for_the_caller_too(make_server: Any) -> None:
    server = make_server("--FlowNB.pool_size=0")
    server.environment["FLOWNB_SECRET_API_KEY"] = "a-key-of-an-api"
    said = "pd.respond({'headers': {'X-Key': pd.inputs.key}, 'body': {'key': pd.inputs.key}})"
    answer = post(hook(server.start(), "leaks", said, inputs={"key": {"secret": "API_KEY"}}))
    assert (answer.status_code, answer.headers["X-Key"], answer.json()) == (200, "...", {"key": "…"})
