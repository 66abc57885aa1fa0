"""Every example notebook goes through its whole life, on a real server, by real HTTP requests."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from flownb.core.links import branch_token
from flownb.testing import Workflows
from flownb.testing.server import free_port
from tests.support.modes import DROPPED, KEPT, MODES, server_in_mode
from tests.support.notebooks import write
from tests.support.review import ReviewPage
from tests.support.server import TOKEN, Server, returned

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"

EXPENSE = {"amount": 250, "cost_center": 420}
"""What somebody fills in."""

WEBHOOK_SECRET = "what-github-knows-too"
SHOP_TOKEN = "what-the-shop-knows-too"

NOT_ALONE = {"two_approvers", "parent"}
"""They need people with links of their own, or another workflow that is deployed."""

in_one_mode = pytest.mark.parametrize("server", [KEPT], indirect=True)
"""For the command line and the inbox, which look on from outside: they are not told of what a server goes through."""

never_away = pytest.mark.parametrize("server", [KEPT, DROPPED], indirect=True)
"""For the job service, which calls back once: not while a server is started again."""

few_restarts = pytest.mark.parametrize("server", [KEPT, DROPPED], indirect=True)
"""For many pauses in a row, where the server would be killed at each."""

BY_COMMAND = {"approval", "expense", "max_retries", "polling"}
"""They differ in what a command shows: a question, a form, a failure, another run. All others are slow."""


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    """The job service, as ``python -m flownb.demo`` starts it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    service = subprocess.Popen([sys.executable, "-m", "flownb.demo", "--port", str(port)])
    while True:
        try:
            httpx.get(url)
            break
        except httpx.TransportError:
            time.sleep(0.05)
    yield url
    service.terminate()
    service.wait()


@pytest.fixture(scope="module", params=MODES)
def server(request: pytest.FixtureRequest, demo: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose folder has the notebooks, as a user's checkout has; in each mode."""
    root = tmp_path_factory.mktemp("checkout")
    shutil.copytree(NOTEBOOKS, root / "notebooks")
    os.environ["FLOWNB_DEMO_URL"] = demo
    server = server_in_mode(request.param, root)
    server.environment["FLOWNB_SECRET_GITHUB_WEBHOOK_SECRET"] = WEBHOOK_SECRET
    server.environment["FLOWNB_SECRET_SHOP_TOKEN"] = SHOP_TOKEN
    running = server.start()
    yield running
    running.close()
    del os.environ["FLOWNB_DEMO_URL"]


@pytest.fixture
def flownb(server: Server) -> Iterator[Workflows]:
    """What authors test their notebooks with, on that server."""
    workflows = Workflows(lambda notebook: server, server.root / "notebooks")
    yield workflows
    workflows.close()


def test_approval_goes_on_when_its_link_is_used(flownb: Workflows) -> None:
    run = flownb.run("approval.ipynb")
    run.waits(reason="Refund 3 orders, 182.40 in all?")
    assert "Refund 3 orders" in httpx.get(run.review_url, headers={"Accept": "text/html"}).text
    assert httpx.get(run.resume_url).json()["status"] == "resumed"
    run.succeeds()
    assert run.steps["pay"].returned["total"] == 182.4


def test_approval_ends_when_it_is_cancelled(flownb: Workflows) -> None:
    run = flownb.run("approval.ipynb")
    run.waits()
    assert httpx.delete(run.cancel_url).json()["status"] == "cancelled"
    run.is_cancelled()
    assert run.steps["pay"].status == "skipped"


def test_expense_waits_until_its_form_is_filled_in(flownb: Workflows) -> None:
    run = flownb.run("expense.ipynb")
    run.waits()
    refused = run.post(run.resume_url, json={"amount": 1_000})
    assert (refused.status_code, refused.json()["errors"]) == (
        422,
        {"amount": "must be at most 253.4", "cost_center": "is required"},
    )
    assert run.post(run.resume_url, json=EXPENSE).json()["status"] == "resumed"
    run.succeeds()
    assert run.steps["pay"].returned == {"paid": 250, "kept": 3.4}


def test_polling_looks_until_the_job_is_done(flownb: Workflows) -> None:
    run = flownb.run("polling.ipynb")
    run.succeeds()
    assert run.steps["poll"].runs in (2, 3, 4)  # the job goes on while a server is started again
    assert run.steps["poll"].returned["status"] == "DONE"
    assert run.steps["report"].returned == "The job is done and found 42 rows."


@few_restarts
def test_polling_fails_at_run_four_when_the_job_takes_too_long(flownb: Workflows) -> None:
    run = flownb.run("polling.ipynb", {"JOB_SECONDS": 60, "DELAY": 50})
    run.fails("poll", error="Max retries exceeded")
    assert run.steps["poll"].runs == 4


@never_away
def test_callback_is_processed_in_the_step_that_started_the_job(flownb: Workflows) -> None:
    run = flownb.run("callback.ipynb", {"JOB_SECONDS": 0.5})
    run.succeeds()
    assert run.steps["export"].runs == 2
    assert run.steps["report"].returned["result"] == {"file": "export.csv"}


def test_rerun_context_passes_data_between_runs(flownb: Workflows) -> None:
    run = flownb.run("rerun_context.ipynb")
    run.succeeds()
    assert run.steps["hello"].returned == {"hello": "world"}
    assert run.steps["report"].returned == "hello world"


@few_restarts
def test_max_retries_ends_with_an_exception_by_design(flownb: Workflows) -> None:
    run = flownb.run("max_retries.ipynb", {"DELAY": 20})
    run.fails("never_ready", error="Max retries exceeded")
    assert (run.steps["never_ready"].runs, run.steps["not_reached"].status) == (4, "skipped")


def test_timeout_goes_on_by_itself_or_sooner_by_its_link(flownb: Workflows) -> None:
    alone = flownb.run("timeout.ipynb", {"TIMEOUT": 100})
    sooner = flownb.run("timeout.ipynb", {"TIMEOUT": 60_000})
    sooner.waits()
    httpx.put(sooner.resume_url)
    for run in (alone, sooner):
        run.succeeds()
    outcomes = [run.steps["after"].returned for run in (alone, sooner)]
    assert outcomes == ["nobody came, so the timer went on", "somebody was faster than the timer"]


@few_restarts
def test_first_of_goes_on_by_an_event_by_hand_or_by_time(flownb: Workflows, server: Server) -> None:
    late, by_hand, paid = [flownb.run("first_of.ipynb", {"TIMEOUT": after}) for after in (100, 60_000, 60_000)]
    late.succeeds()
    by_hand.waits()
    assert by_hand.post(by_hand.resume_url).json()["status"] == "resumed"
    by_hand.succeeds()
    paid.waits()
    server.http.post("/events", json={"event": "order-42-paid", "data": {"amount": 99}})
    which = []
    for run in (paid, by_hand, late):
        run.succeeds()
        which.append(run.steps["ship"].returned["which"])
    assert which == ["order-42-paid", "by_hand", "too_late"]


def test_two_approvers_agree_by_their_own_links(flownb: Workflows, server: Server) -> None:
    run = flownb.run("two_approvers.ipynb")
    run.waits(reason="Transfer 25,000 to Example Ltd?")
    assert run.post(run.resume_url).json()["status"] == "not_approver"
    root, _, token = run.review_url.rpartition("/")
    for person in ("ann@example.org", "cleo@example.org"):
        ReviewPage(f"{root}/{branch_token(token, person)}").send("resume")
    run.succeeds()
    assert run.steps["pay"].returned == {"paid": 25_000, "by": ["ann@example.org", "cleo@example.org"]}


def test_parent_has_the_result_of_its_child(flownb: Workflows, server: Server) -> None:
    assert server.http.put("/workflows/child", json={"notebook": "notebooks/child.ipynb"}).status_code == 200
    run = flownb.run("parent.ipynb")
    run.succeeds()
    assert run.steps["report"].returned == "9 words, 8 of them different"


@in_one_mode
def test_the_inbox_shows_what_waits(flownb: Workflows) -> None:
    flownb.run("approval.ipynb").waits()
    inbox = flownb.run("inbox.ipynb")
    inbox.succeeds()
    shown = [output for step in inbox.steps.values() for output in step.outputs]
    assert any("application/vnd.jupyter.widget-view+json" in output.get("data", {}) for output in shown)


@in_one_mode
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in BY_COMMAND else pytest.mark.slow)
        for name in sorted({file.stem for file in NOTEBOOKS.glob("*.ipynb")} - NOT_ALONE)
    ],
)
def test_the_command_line_runs_it_to_its_end(server: Server, name: str) -> None:
    command = [str(Path(sys.executable).with_name("flownb")), "run", f"notebooks/{name}.ipynb", "--wait"]
    data = '{"DELAY": 20, "TIMEOUT": 30000, "JOB_SECONDS": 0.01}'
    environment = {**os.environ, "JUPYTER_TOKEN": "", "COLUMNS": "300"}
    said = ""
    with subprocess.Popen(
        [*command, "--data", data, "--server-url", server.api.removesuffix("flownb/api"), "--token", TOKEN],
        cwd=server.root,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            assert running.stdout is not None
            for line in running.stdout:
                said += line
                if link := re.search(r"flownb resume (\S+)", line) if name == "expense" else None:
                    server.post(link[1], "resume", data=EXPENSE)
                elif link := re.search(r"http\S+/flownb/review/\S+", line):
                    ReviewPage(link[0]).send("resume")
        except BaseException:
            running.kill()  # it would be waited for
            raise
    assert running.returncode == (1 if name == "max_retries" else 0), said


@in_one_mode
def test_orders_that_come_together_are_taken_one_at_a_time(server: Server, tmp_path: Path) -> None:
    stock = tmp_path / "stock.json"
    assert server.http.put("/workflows/orders", json={"notebook": "notebooks/one_at_a_time.ipynb"}).status_code == 200

    def order(number: int) -> str:
        body = {"workflow": "orders", "data": {"id": number, "pieces": 2, "stock": str(stock)}}
        return str(server.http.post("/executions", json=body).json()["id"])

    for execution in [order(number) for number in range(5)]:
        server.wait(execution, "succeeded")
    assert json.loads(stock.read_text()) == {"pieces": 90, "orders": [0, 1, 2, 3, 4]}


@in_one_mode
def test_a_request_that_waits_is_moved_to_the_next_version(server: Server) -> None:
    file = server.root / "notebooks" / "vacation.ipynb"
    before = file.read_text()
    url = hook(server, "vacation")
    old, moved = (httpx.post(url, json={"name": name, "days": 2}).json()["execution"] for name in ("Ana", "Ben"))
    links = [server.wait(execution, "suspended")["waiting"]["resume_url"] for execution in (old, moved)]
    file.write_text(before.replace(": days,", ": days + 1,"))
    assert hook(server, "vacation") == url
    assert server.post(moved, "migrate").json()["execution"]["version"] != server.get(old)["version"]
    for link in links:
        assert httpx.get(link).json()["status"] == "resumed"
    booked = [returned(server.wait(execution, "succeeded"), "book") for execution in (old, moved)]
    assert booked == [{"booked": 2, "for": "Ana"}, {"booked": 3, "for": "Ben"}]
    file.write_text(before)


@in_one_mode
def test_what_runs_nightly_runs_now_too_and_its_failure_starts_the_workflow_for_errors(server: Server) -> None:
    for name in ("nightly", "on_error"):
        answer = server.http.put(f"/workflows/{name}", json={"notebook": f"notebooks/{name}.ipynb"})
        assert answer.status_code == 200, answer.text
    (schedule,) = server.http.get("/workflows/nightly").json()["schedule"]
    assert (schedule["cron"], schedule["skipped"]) == ("30 2 * * *", None)
    now = server.http.post("/workflows/nightly/run").json()
    done = server.wait(now["id"], "succeeded")
    assert returned(done, "day") == now["trigger"]["event"]["timezone_configured"]["iso8601"]["date"]
    write(server.root, "broken.ipynb", "raise TimeoutError('too slow')", flownb={"on_error": "on_error"})
    failed = server.wait(server.submit("broken.ipynb", {"a": 1}), "failed")

    def handled() -> list[dict[str, Any]]:
        found = server.http.get("/executions?workflow=on_error&status=succeeded").json()["executions"]
        return [one for one in found if one["trigger"]["type"] == "error"]

    (handler,) = server.until(handled)
    advised = {"execution": failed["id"], "event": {"body": {"a": 1}}, "advice": "replay it later"}
    assert returned(handler, "decide") == advised
    for name in ("nightly", "on_error"):
        server.http.delete(f"/workflows/{name}")


@in_one_mode
def test_a_table_that_comes_into_the_folder_is_added_up(server: Server) -> None:
    server.http.put("/workflows/inbox_folder", json={"notebook": "notebooks/inbox_folder.ipynb"})
    inbox = server.root / "notebooks" / "inbox_folder"
    server.until(inbox.exists)
    (inbox / "orders.csv").write_text("item,amount\ncoffee,3\ntea,4.5\n")

    def read() -> Any:
        return server.http.get("/executions?workflow=inbox_folder&status=succeeded").json()["executions"]

    (done,) = server.until(read)
    assert returned(done, "total") == {"file": "orders.csv", "rows": 2, "total": 7.5}
    server.http.delete("/workflows/inbox_folder")


def hook(server: Server, name: str) -> str:
    """The hook of an example, deployed under the name of its file."""
    answer = server.http.put(f"/workflows/{name}", json={"notebook": f"notebooks/{name}.ipynb"})
    return str(answer.json()["hook_url"])


@in_one_mode
def test_a_webhook_takes_what_github_signs_and_each_delivery_once(server: Server) -> None:
    url, push = hook(server, "webhook"), {"ref": "refs/heads/main", "commits": [{"added": ["b"], "modified": ["a"]}]}

    def deliver(kind: str, delivery: str, secret: str = WEBHOOK_SECRET) -> httpx.Response:
        body = json.dumps(push).encode()
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-GitHub-Event": kind, "X-GitHub-Delivery": delivery, "Content-Type": "application/json"}
        return httpx.post(url, content=body, headers=headers | {"X-Hub-Signature-256": f"sha256={signature}"})

    assert deliver("push", "1", secret="what-somebody-guessed").status_code == 401
    first = deliver("push", "1")
    assert deliver("push", "1").json() == first.json()
    assert returned(server.wait(first.json()["execution"], "succeeded"), "changes") == ["a", "b"]
    pinged = server.wait(deliver("ping", "2").json()["execution"], "succeeded")
    assert (pinged["reason"], pinged["steps"][2]["status"]) == ("ping on main: nothing to do", "skipped")


@in_one_mode
def test_a_shop_is_answered_by_a_step(server: Server) -> None:
    url = hook(server, "respond")
    answer = httpx.post(url, json={"grams": 1200}, timeout=60)
    assert (answer.status_code, answer.json()) == (200, {"cents": 540})
    refused = httpx.post(url, json={"grams": "many"}, timeout=60)
    assert (refused.status_code, refused.json()) == (422, {"error": "grams is a whole number above 0"})


def test_a_count_goes_on_from_one_execution_to_the_next(server: Server) -> None:
    server.http.delete("/data/visits")
    ids = [server.submit("notebooks/counter.ipynb", {"page": page}) for page in ("/a", "/b", "/a")]
    found = [returned(server.wait(one, "succeeded"), "report") for one in ids]
    kept = {one["key"]: one["value"] for one in server.http.get("/data/visits").json()["items"]}
    assert (kept["/a"], kept["/b"], sorted(kept["latest"])) == (2, 1, ["/a", "/a", "/b"])
    assert {one["count"] for one in found if one["page"] == "/a"} == {1, 2}
    assert sum(one["first"] for one in found) == len([key for key in kept if key.startswith("hour")])


@in_one_mode
def test_inputs_come_from_the_settings_and_no_secret_is_shown(server: Server) -> None:
    execution = server.submit("notebooks/inputs.ipynb")
    done = server.wait(execution, "succeeded")
    assert returned(done, "price") == {"text": "120 EUR", "allowed": True}
    assert done["steps"][2]["exports"] == {"url": "https://shop.example.com/?token=…"}
    assert "held a secret" in done["warnings"][0]
    shown = server.http.get(f"/executions/{execution}/notebook").json()["cells"][1]["outputs"]
    assert "…" in shown[0]["text"]
    assert SHOP_TOKEN not in json.dumps([done, shown])


@in_one_mode
def test_a_bill_over_the_budget_is_agreed_to_and_one_below_it_is_not_asked_about(server: Server) -> None:
    asks = server.wait(server.submit("notebooks/bill.ipynb", {"BUDGET": 0}), "suspended")
    total = returned(asks, "bill")
    assert total["credits"] == server.http.get("/usage").json()["total"]["credits"]
    assert asks["waiting"]["reason"].startswith(f"{total['credits']} credits are more than the 0")
    httpx.post(asks["waiting"]["resume_url"])
    assert returned(server.wait(asks["id"], "succeeded"), "agreed") == f"agreed: {total['credits']} credits"
    within = server.submit("notebooks/bill.ipynb", {"BUDGET": 10**9})
    assert server.wait(within, "succeeded")["reason"] == "within the budget"
