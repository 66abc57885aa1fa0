"""The URLs that need no login: each row of the contract's table, by real requests.

Kernels are kept, or the server is killed: what answers is the same where kernels alone are dropped.
"""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.support.modes import EXTREMES
from tests.support.notebooks import cell
from tests.support.server import Server, step

BROWSER = {"Accept": "text/html,application/xhtml+xml"}


def suspended(server: Server, call: str = "pd.flow.suspend()", **metadata: Any) -> tuple[str, dict[str, Any]]:
    """An execution that waits, and what it waits for; its next step counts how often it ran, in a file."""
    count = "with open(pd.context.trace_id, 'a') as file: file.write('.')"
    execution = server.run(cell(f"{call};", "ask"), cell(count, "next"), **metadata)
    return execution, server.wait(execution, "suspended")["waiting"]


def resume_data(server: Server, execution: str) -> dict[str, Any]:
    data: dict[str, Any] = step(server.wait(execution, "succeeded"), "ask")["exports"]["$resume_data"]
    return data


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        ({"method": "GET", "params": {"a": "1", "b": ["2", "3"]}}, None),
        ({"method": "POST", "json": {"status": "DONE", "n": [1, 2.5, None]}}, {"status": "DONE", "n": [1, 2.5, None]}),
        ({"method": "POST", "data": {"name": "Ada", "tag": ["x", "y"]}}, {"name": "Ada", "tag": ["x", "y"]}),
        ({"method": "POST", "content": "plain wörds", "headers": {"Content-Type": "text/plain"}}, "plain wörds"),
        ({"method": "POST"}, None),
        ({"method": "PUT", "json": [1]}, [1]),
        ({"method": "PATCH", "content": b"\xff\x00"}, {"base64": "/wA="}),
        ({"method": "DELETE"}, None),
    ],
    ids=["get", "json", "form", "text", "empty", "put", "bytes", "delete"],
)
def test_any_method_resumes_and_its_data_is_there(shared_server: Server, request_: dict[str, Any], body: Any) -> None:
    execution, waiting = suspended(shared_server)
    answer = httpx.request(url=waiting["resume_url"], **request_)
    assert (answer.status_code, answer.json()["status"]) == (200, "resumed")
    data = resume_data(shared_server, execution)
    assert (data["method"], data["body"]) == (request_["method"], body)
    assert set(data) == {"method", "path", "url", "query", "headers", "client_ip", "body", "received_at"}
    assert data["client_ip"] == "127.0.0.1"
    if request_["method"] == "GET":
        assert data["query"] == {"a": "1", "b": ["2", "3"]}


def test_a_multipart_form_with_a_file(shared_server: Server) -> None:
    execution, waiting = suspended(shared_server)
    httpx.post(waiting["resume_url"], data={"who": "Ada"}, files={"scan": ("a.bin", b"\x00\xff", "image/png")})
    assert resume_data(shared_server, execution)["body"] == {
        "who": "Ada",
        "scan": {"filename": "a.bin", "content_type": "image/png", "base64": "AP8="},
    }


def test_no_secret_and_no_cookie_is_in_the_data(shared_server: Server) -> None:
    execution, waiting = suspended(shared_server)
    headers = {"Referer": waiting["resume_url"], "Cookie": "a=b", "X-XSRFToken": "c", "X-Echo": waiting["cancel_url"]}
    httpx.post(waiting["resume_url"], headers=headers, json={"links": waiting}, params={"at": waiting["resume_url"]})
    data = resume_data(shared_server, execution)
    secrets = [waiting[name].rpartition("/")[2] for name in ("resume_url", "cancel_url", "review_url")]
    assert not any(secret in str(data) for secret in secrets)
    assert not {"cookie", "x-xsrftoken", "referer"} & set(data["headers"])
    assert not any(secret in shared_server.log.read_text() for secret in secrets)


def test_a_secret_that_is_written_otherwise_is_masked_too(shared_server: Server) -> None:
    execution, waiting = suspended(shared_server)
    address, _, secret = waiting["resume_url"].rpartition("/")
    written = f"{address}/%{ord(secret[0]):02x}{secret[1:]}"
    assert httpx.post(written).json()["status"] == "resumed"
    assert secret[1:] not in str(resume_data(shared_server, execution))


def test_head_and_options_change_nothing(shared_server: Server) -> None:
    execution, waiting = suspended(shared_server)
    for url in (waiting["resume_url"], waiting["cancel_url"], waiting["review_url"]):
        assert httpx.head(url).status_code == 200
        assert httpx.options(url).status_code == 204
    assert httpx.head(waiting["resume_url"] + "x").status_code == 404
    assert shared_server.get(execution)["status"] == "suspended"


@pytest.mark.parametrize("header", ["Sec-Purpose", "Purpose", "X-Moz"])
def test_a_prefetch_gets_the_review_page_and_changes_nothing(shared_server: Server, header: str) -> None:
    execution, waiting = suspended(shared_server, "pd.flow.suspend(reason='<b>look</b>')")
    for url in (waiting["resume_url"], waiting["cancel_url"]):
        page = httpx.get(url, headers={header: "prefetch;prerender"})
        assert page.status_code == 200
        assert "waits for a decision" in page.text
        assert "&lt;b&gt;look&lt;/b&gt;" in page.text
    assert shared_server.get(execution)["status"] == "suspended"


@pytest.mark.parametrize("each_server", EXTREMES, indirect=True)
def test_the_same_decision_again_and_the_opposite_one(each_server: Server) -> None:
    execution, waiting = suspended(each_server)
    assert httpx.post(waiting["cancel_url"]).json()["status"] == "cancelled"
    for _ in range(2):
        again = httpx.post(waiting["cancel_url"])
        assert (again.status_code, again.json()["status"]) == (200, "already_cancelled")
        assert again.json()["at"].endswith("Z")
        opposite = httpx.post(waiting["resume_url"])
        assert (opposite.status_code, opposite.json()["status"]) == (409, "already_cancelled")
    done = each_server.get(execution)
    assert (done["status"], done["steps"][1]["status"]) == ("cancelled", "skipped")


def test_a_hundred_parallel_requests_and_one_acts(shared_server: Server) -> None:
    execution, waiting = suspended(shared_server)
    together = threading.Barrier(100)

    def ask(number: int) -> tuple[int, str]:
        with httpx.Client() as client:
            client.head(waiting["resume_url"])
            together.wait()
            answer = client.post(waiting["resume_url"], json={"number": number}, timeout=30)
        return answer.status_code, answer.json()["status"]

    with ThreadPoolExecutor(100) as pool:
        answers = Counter(pool.map(ask, range(100)))
    assert answers == {(200, "resumed"): 1, (200, "already_resumed"): 99}
    shared_server.wait(execution, "succeeded")
    assert (shared_server.root / execution).read_text() == "."


def test_unknown_and_altered_links_look_the_same(shared_server: Server) -> None:
    _, waiting = suspended(shared_server)
    altered = waiting["resume_url"][:-1] + ("A" if waiting["resume_url"][-1] != "A" else "B")
    elsewhere = waiting["resume_url"].replace("/resume/", "/cancel/")
    unknown = waiting["resume_url"].rpartition("/")[0] + "/" + "A" * 43
    answers = [httpx.get(url) for url in (altered, elsewhere, unknown, unknown + "/", unknown + "/more%ff")]
    assert {(answer.status_code, answer.text) for answer in answers} == {(404, answers[0].text)}
    assert answers[0].json()["status"] == "not_found"


@pytest.mark.parametrize("each_server", EXTREMES, indirect=True)
def test_a_request_while_the_step_runs_is_kept_and_acts_at_its_end(each_server: Server) -> None:
    source = """
import pathlib, time
links = pd.flow.suspend(reason='early')
pathlib.Path(f'{pd.context.trace_id}.link').write_text(links['resume_url'] + ' ' + links['cancel_url'])
while not pathlib.Path(f'{pd.context.trace_id}.go').exists(): time.sleep(.01)
"""
    execution = each_server.run(cell(source, "ask"), cell("pd.steps['ask'].resume_data.body", "next"))
    file = each_server.root / f"{execution}.link"
    each_server.until(lambda: file.exists() and file.read_text())
    resume, cancel = file.read_text().split()
    for number in (1, 2):
        answer = httpx.post(resume, json={"number": number})
        assert (answer.status_code, answer.json()["status"]) == (202, "accepted")
    assert (httpx.post(cancel).status_code, httpx.post(cancel).json()["status"]) == (409, "already_resumed")
    assert each_server.get(execution)["status"] == "running"
    (each_server.root / f"{execution}.go").touch()
    done = each_server.wait(execution, "succeeded")
    assert step(done, "next")["exports"]["$return_value"] == {"number": 1}
    assert httpx.get(resume).json()["status"] == "already_resumed"


def test_a_body_over_the_limit_is_refused_and_the_pause_stays(shared_server: Server) -> None:
    execution, waiting = suspended(shared_server)
    answer = httpx.post(waiting["resume_url"], content=b"x" * 600_000, headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()["status"]) == (413, "error")
    assert "524,288" in answer.json()["message"]
    assert shared_server.get(execution)["status"] == "suspended"


@pytest.mark.parametrize(
    ("code", "content", "headers"),
    [
        (400, b'{"broken": ', {"Content-Type": "application/json"}),
        (400, b'{"a": NaN}', {"Content-Type": "application/json"}),
        (400, b"\xff\xfe", {"Content-Type": "text/plain; charset=utf-8"}),
        (400, b"no boundary", {"Content-Type": "multipart/form-data; boundary=x"}),
        (415, b"x", {"Content-Type": "text/plain; charset=klingon"}),
        (415, b"\x1f\x8b", {"Content-Type": "application/json", "Content-Encoding": "gzip"}),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_and_the_pause_stays(
    shared_server: Server, code: int, content: bytes, headers: dict[str, str]
) -> None:
    execution, waiting = suspended(shared_server)
    answer = httpx.post(waiting["resume_url"], content=content, headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (code, "error")
    assert shared_server.get(execution)["status"] == "suspended"


@pytest.mark.parametrize("each_server", EXTREMES, indirect=True)
def test_a_form_is_checked_before_the_pause_is_used_up(each_server: Server) -> None:
    schema = {"type": "object", "required": ["amount"], "properties": {"amount": {"type": "integer"}}}
    execution, waiting = suspended(each_server, f"pd.flow.suspend(form={schema!r})")
    assert waiting["form"] == schema
    missing = httpx.post(waiting["resume_url"], json={})
    assert (missing.status_code, missing.json()["status"]) == (422, "invalid")
    assert missing.json()["errors"] == {"amount": "is required"}
    assert "amount" in httpx.post(waiting["resume_url"], json={"amount": "many"}).json()["errors"]
    assert (httpx.get(waiting["resume_url"]).status_code, each_server.get(execution)["status"]) == (409, "suspended")
    assert httpx.post(waiting["resume_url"], json={"amount": 3}).status_code == 200
    assert resume_data(each_server, execution)["body"] == {"amount": 3}


@pytest.mark.parametrize("by", ["call", "workflow"])
def test_where_links_ask_for_confirmation_a_get_changes_nothing(shared_server: Server, by: str) -> None:
    call = "pd.flow.suspend(confirm=True)" if by == "call" else "pd.flow.suspend()"
    execution, waiting = suspended(shared_server, call, flownb={"confirm": by == "workflow"})
    refused = httpx.get(waiting["resume_url"])
    assert (refused.status_code, refused.json()["status"]) == (409, "confirm_required")
    page = httpx.get(waiting["cancel_url"], headers=BROWSER)
    assert page.status_code == 200
    assert "Approve" in page.text
    assert shared_server.get(execution)["status"] == "suspended"
    assert httpx.post(waiting["resume_url"]).status_code == 200


def test_the_confirmation_that_a_call_wishes_holds_while_its_step_still_runs(shared_server: Server) -> None:
    source = """
import pathlib, time
links = pd.flow.suspend(confirm=True, form={"type": "object", "required": ["n"]})
pathlib.Path(f'{pd.context.trace_id}.sent').write_text(links['resume_url'] + ' ' + links['cancel_url'])
while not pathlib.Path(f'{pd.context.trace_id}.end').exists(): time.sleep(.01)
"""
    execution = shared_server.run(cell(source, "ask"), cell("pd.context.resume.body", "next"))
    file = shared_server.root / f"{execution}.sent"
    resume, cancel = shared_server.until(lambda: file.exists() and file.read_text()).split()
    for url in (resume, cancel):
        assert shared_server.until(lambda: httpx.get(url).status_code == 409)  # noqa: B023
    assert httpx.post(resume, json={}).status_code == 422
    assert httpx.post(resume, json={"n": 1}).json()["status"] == "accepted"
    (shared_server.root / f"{execution}.end").touch()
    done = shared_server.wait(execution, "succeeded")
    assert step(done, "next")["exports"]["$return_value"] == {"n": 1}


def test_where_the_server_asks_for_confirmation_every_get_is_held_off(make_server: Any) -> None:
    server = make_server("--FlowNB.confirm_links=True").start()
    execution, waiting = suspended(server)
    assert httpx.get(waiting["resume_url"]).json()["status"] == "confirm_required"
    assert httpx.post(waiting["resume_url"]).json()["status"] == "resumed"
    server.wait(execution, "succeeded")


def test_a_browser_gets_pages_that_can_run_no_script(shared_server: Server) -> None:
    _, waiting = suspended(shared_server)
    review = httpx.get(waiting["review_url"], headers=BROWSER)
    pages = [review] + [
        httpx.get(waiting[f"{action}_url"], headers=BROWSER) for action in ("resume", "resume", "cancel")
    ]
    titles = [page.text.partition("<h1>")[2].partition("</h1>")[0] for page in pages]
    assert titles[1:] == ["Approved", "Already approved", "Already approved"]
    assert titles[0].endswith("waits for a decision")
    for page in pages:
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        policy = page.headers["content-security-policy"]
        assert policy.startswith("sandbox allow-forms; default-src 'none'; img-src data:; style-src 'nonce-")
        assert policy.endswith("form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
        assert (page.headers["cache-control"], page.headers["referrer-policy"]) == ("no-store", "no-referrer")
    lost = httpx.get(waiting["resume_url"] + "x", headers=BROWSER)
    assert (lost.status_code, "Unknown link" in lost.text) == (404, True)
    assert "Approved by" in httpx.get(waiting["review_url"], headers=BROWSER).text


@pytest.mark.parametrize("each_server", EXTREMES, indirect=True)
def test_links_of_an_earlier_run_say_what_became_of_it(each_server: Server) -> None:
    execution = each_server.run(cell("if pd.context.run.runs < 3: pd.flow.rerun(60_000)", "ask"))
    first = each_server.wait(execution, "suspended", runs=1)["waiting"]
    assert httpx.post(first["resume_url"]).status_code == 200
    second = each_server.wait(execution, "suspended", runs=2)["waiting"]
    assert second["resume_url"] != first["resume_url"]
    assert httpx.post(first["resume_url"]).json()["status"] == "already_resumed"
    assert httpx.post(first["cancel_url"]).status_code == 409
    httpx.post(second["resume_url"])
    each_server.wait(execution, "succeeded")


def test_links_of_a_step_that_exhausted_its_reruns_have_expired(shared_server: Server) -> None:
    source = "print(pd.flow.rerun(60_000, None, 0)['resume_url'].rpartition('/')[2][::-1])"
    execution = shared_server.run(cell(source, "ask"))
    shared_server.wait(execution, "succeeded")
    cells = shared_server.http.get(f"/executions/{execution}/notebook").json()["cells"]
    secret = cells[0]["outputs"][0]["text"].strip()[::-1]
    answer = httpx.get(f"http://127.0.0.1:{shared_server.port}/flownb/resume/{secret}")
    assert (answer.status_code, answer.json()["status"]) == (410, "expired")
