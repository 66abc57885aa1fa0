"""A person in JupyterLab: runs a notebook as a workflow, sees it wait in the inbox, decides, sees it end."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from flownb.testing.server import PATIENCE
from tests.browser.conftest import Shoot
from tests.browser.lab import SETTINGS, Lab, Notebook7, quiet
from tests.support.notebooks import cell, write
from tests.support.server import REPOSITORY, TOKEN, Server, returned

expect.set_options(timeout=PATIENCE * 1000)

RUN = "%load_ext flownb\n%flownb run"
INBOX = "inbox.ipynb"
AGAIN = cell("pd.flow.rerun(3_000, max_retries=10);", "poll")
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}

COUNTS = re.compile(r"run \d+ of 11")
"""What a slow machine may see late, but not other than counting."""

OpenLab = Callable[[str], Lab]


@pytest.fixture(scope="module")
def lab_server(folders: Callable[[], Path]) -> Iterator[Server]:
    """A server with JupyterLab, and the notebooks to learn from in its folder."""
    server = quiet(Server(folders(), *SETTINGS, front_ends=True), folders())
    for file in REPOSITORY.glob("notebooks/*.ipynb"):
        shutil.copy(file, server.root)
    write(server.root, "again.ipynb", AGAIN, kernelspec=KERNEL)
    yield server.start()
    server.close()


@pytest.fixture
def lab(browser: Browser, lab_server: Server) -> Iterator[OpenLab]:
    """Opens a notebook in a window of its own; nothing waits when the test begins."""
    listed = lab_server.http.get("/executions", params={"status": "suspended"}).json()["executions"]
    lab_server.http.post("/executions/cancel", json={"executions": [one["id"] for one in listed]})
    opened: list[Lab] = []

    def open_(path: str) -> Lab:
        opened.append(Lab(browser, lab_server, path))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()


def inbox_of(lab: Lab) -> Locator:
    """The inbox, in the notebook that is open there."""
    lab.run_all()
    shown = lab.page.locator(".flownb-inbox")
    expect(shown).to_contain_text(re.compile("waits|waiting"))
    return shown


def run_in(lab: Lab) -> tuple[Locator, str]:
    """The notebook that is open there, run as a workflow: its view, and the execution's id."""
    view = lab.run_below(RUN).locator(".flownb-execution")
    shown = view.locator("code").first
    expect(shown).to_have_text(re.compile(r"\w{16}"))
    return view, shown.inner_text()


def row(inbox: Locator, execution: str) -> Locator:
    """The row of an execution."""
    return inbox.locator(".flownb-row").filter(has_text=execution)


@pytest.mark.parametrize(("button", "end"), [("approve", "succeeded"), ("cancel", "cancelled")])
def test_a_decision_in_the_inbox(lab_server: Server, lab: OpenLab, screenshots: Shoot, button: str, end: str) -> None:
    watching = lab(INBOX)
    inbox = inbox_of(watching)
    working = lab("approval.ipynb")
    view, execution = run_in(working)
    waits = row(inbox, execution)
    expect(waits).to_contain_text("Refund 3 orders, 182.40 in all?")
    expect(waits).to_contain_text("The workflow is cancelled on")
    expect(view).to_contain_text("suspended")
    if end == "succeeded":
        screenshots(watching.page, "inbox")
        view.locator(".flownb-approve").scroll_into_view_if_needed()
        screenshots(working.page, "execution-view")
    waits.locator(f".flownb-{button}").click()
    expect(waits).to_be_hidden()
    expect(view.locator(f".flownb-{end}").first).to_be_visible()
    done = lab_server.wait(execution, end)
    assert done["pauses"][0]["decision"]["via"] == "api"
    assert done["pauses"][0]["decision"]["by"]


def test_a_form_with_a_wrong_value(lab_server: Server, lab: OpenLab, screenshots: Shoot) -> None:
    page = lab(INBOX)
    inbox = inbox_of(page)
    execution = lab_server.submit("expense.ipynb")
    lab_server.wait(execution, "suspended")
    waits = row(inbox, execution)
    waits.locator(".flownb-approve").click()
    fields = waits.locator(".flownb-fields")
    expect(fields).to_be_visible()
    expect(waits.get_by_role("checkbox", name=f"Select expense.ipynb ({execution}), step ")).to_be_visible()
    expect(fields.get_by_role("combobox", name="How much later")).to_be_visible()
    amount = fields.get_by_label(re.compile("amount", re.IGNORECASE))
    amount.fill("much")
    waits.locator(".flownb-approve").click()
    expect(fields).to_contain_text("is not a number")
    assert lab_server.get(execution)["status"] == "suspended"
    screenshots(page.page, "inbox-form")
    amount.fill("100")
    waits.locator(".flownb-approve").click()
    expect(fields).to_contain_text("is required")
    assert lab_server.get(execution)["status"] == "suspended"
    fields.get_by_label("Cost center").select_option("Sales")
    waits.locator(".flownb-approve").click()
    expect(waits).to_be_hidden()
    assert lab_server.wait(execution, "succeeded")["pauses"][0]["decision"]["action"] == "resume"


def test_a_counter_of_reruns_counts(lab_server: Server, lab: OpenLab) -> None:
    view, execution = run_in(lab("again.ipynb"))
    expect(view).to_contain_text(COUNTS)
    first = COUNTS.search(view.inner_text())
    assert first
    expect(view).not_to_contain_text(first[0])
    expect(view).to_contain_text(COUNTS)
    lab_server.post(execution, "cancel")
    expect(view).to_contain_text("cancelled")


def test_of_two_who_click_at_once_one_wins_and_the_other_sees_who(lab_server: Server, lab: OpenLab) -> None:
    inboxes = [inbox_of(lab(INBOX)) for _ in range(2)]
    execution = lab_server.submit("approval.ipynb")
    for inbox, name in zip(inboxes, ("Ana", "Ben"), strict=True):
        inbox.get_by_label("Your name").fill(name)
        inbox.get_by_label("Your name").press("Tab")
        expect(row(inbox, execution)).to_be_visible()
    for inbox in inboxes:
        row(inbox, execution).locator(".flownb-approve").dispatch_event("click", timeout=PATIENCE * 1000)
    decided = lab_server.wait(execution, "succeeded")["pauses"][0]["decision"]
    loser = inboxes[0 if decided["by"] == "Ben" else 1]
    assert decided["by"] in ("Ana", "Ben")
    expect(loser).to_contain_text(re.compile(f"[Aa]lready approved by {decided['by']}"))


def test_an_inbox_stays_while_the_workflows_server_is_restarted(
    lab_server: Server, browser: Browser, make_server: Callable[..., Server]
) -> None:
    """The kernel of an inbox lives below its own Jupyter server; the workflows may be another's."""
    other = make_server().start()
    execution = other.run(cell("pd.flow.suspend(reason='still there?');", "ask"))
    other.wait(execution, "suspended")
    lab = Lab(browser, lab_server, INBOX)
    made = f"from flownb import Inbox\nInbox('http://127.0.0.1:{other.port}/', '{TOKEN}')"
    inbox = lab.run_below(made).locator(".flownb-inbox")
    expect(row(inbox, execution)).to_be_visible()
    other.kill()
    expect(inbox).to_contain_text("does not answer; trying again")
    other.start()
    expect(inbox).not_to_contain_text("does not answer")
    row(inbox, execution).locator(".flownb-approve").click()
    other.wait(execution, "succeeded")
    lab.close()


def test_the_executed_notebook_opens_as_an_ordinary_one(lab_server: Server, lab: OpenLab) -> None:
    execution = lab_server.submit("approval.ipynb")
    lab_server.wait(execution, "suspended")
    path = lab_server.get(execution)["executed_notebook"]
    lab_server.until(lambda: (lab_server.root / path).exists())
    page = lab(path).page
    expect(page.locator(".jp-CodeCell").first).to_contain_text("182.40")
    expect(page.locator(".jp-Dialog")).to_have_count(0)


def test_the_inbox_in_notebook_7(lab_server: Server, browser: Browser, lab: OpenLab) -> None:
    execution = lab_server.submit("approval.ipynb")
    lab_server.wait(execution, "suspended")
    opened = Notebook7(browser, lab_server, INBOX)
    inbox = inbox_of(opened)
    row(inbox, execution).locator(".flownb-approve").click()
    done: dict[str, Any] = lab_server.wait(execution, "succeeded")
    assert returned(done, "pay")["total"] == 182.4
    opened.close()
