"""The review page in a real browser, in a window of a phone's size, with and without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from tests.browser.conftest import Shoot
from tests.support.notebooks import cell, write
from tests.support.server import Server, step

PHONE: Any = {"width": 390, "height": 844}
FORM = {
    "type": "object",
    "required": ["amount", "city"],
    "properties": {
        "amount": {"type": "integer", "maximum": 500, "title": "Amount", "description": "Euros, at most 500"},
        "city": {"type": "string", "enum": ["Berlin", "Oslo"]},
        "notify": {"type": "boolean", "title": "Tell the customers"},
        "until": {"type": "string", "format": "date"},
    },
}
TABLE = """
import matplotlib.pyplot as plt
import pandas as pandas_
display(pandas_.DataFrame({
    'region': ['north', 'south', 'east'], 'orders': [112, 340, 95],
    'revenue in thousands of euros': [1.5, 22.25, 0.75], 'change on last year': ['+2 %', '−4 %', '+11 %'],
    'who answers for it': ['Ana Gutiérrez', 'Ben Okafor', 'Chiara Rossi'],
}))
figure, axes = plt.subplots(figsize=(6, 2.5))
axes.bar(['Aug', 'Sep', 'Oct', 'Nov'], [14, 18, 17, 25])
axes.set_title('Revenue, thousands of euros')
plt.show()
print('\\x1b[32mall totals agree\\x1b[0m, \\x1b[1;31m2 customers have no address\\x1b[0m')
"""
TEXT = "## Invoices of November\n\nPlease check **all** of these before they are sent:\n\n- the totals\n- the *south*\n"


class Open(Protocol):
    """Opens the page of a new execution that waits in a call; returns that execution and the page."""

    def __call__(self, call: str = ...) -> tuple[str, Page]: ...


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def phone(request: pytest.FixtureRequest, browser: Browser) -> Iterator[BrowserContext]:
    """A window of a phone's size."""
    context = browser.new_context(viewport=PHONE, java_script_enabled=request.param)
    yield context
    context.close()


@pytest.fixture
def review(phone: BrowserContext, shared_server: Server) -> Open:
    def opened(call: str = "pd.flow.suspend(reason='Send it?')") -> tuple[str, Page]:
        ask = cell(f"print('computed', 6 * 7)\n{call};", "ask")
        execution = shared_server.run(ask, cell("pd.context.resume", "next"))
        page = phone.new_page()
        page.goto(shared_server.wait(execution, "suspended")["waiting"]["review_url"])
        return execution, page

    return opened


def decision(server: Server, execution: str) -> Any:
    return server.get(execution)["pauses"][-1]["decision"]


@pytest.mark.parametrize(("button", "status"), [("Approve", "succeeded"), ("Cancel", "cancelled")])
def test_a_decision(review: Open, shared_server: Server, button: str, status: str) -> None:
    execution, page = review()
    expect(page.get_by_role("heading", level=1)).to_contain_text("waits for a decision")
    expect(page.get_by_text("The workflow continues by itself on")).to_be_visible()
    expect(page.get_by_text("computed 42")).to_be_visible()
    page.get_by_label("Comment").fill("fine by me\nas it is")
    page.get_by_label("Your name").fill("Ana")
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Approved" if button == "Approve" else "Cancelled")
    expect(page.get_by_text("Ana, on this page")).to_be_visible()
    shared_server.wait(execution, status)
    assert decision(shared_server, execution)["comment"] == "fine by me\nas it is"
    page.reload()
    expect(page.get_by_text("The workflow finished" if button == "Approve" else "The workflow was")).to_be_visible()


def test_a_form_with_a_wrong_value_and_then_a_right_one(review: Open, shared_server: Server) -> None:
    execution, page = review(f"pd.flow.suspend(form={FORM!r})")
    page.get_by_label("Amount").fill("900")
    page.get_by_label("City").select_option("Oslo")
    page.get_by_label("Tell the customers").check()
    page.get_by_label("Until").fill("2027-03-01")
    page.get_by_label("Your name").fill("Ana")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was decided")
    amount = page.get_by_label("Amount")
    expect(amount).to_have_value("900")
    expect(amount).to_have_attribute("aria-invalid", "true")
    expect(amount).to_have_accessible_description("Euros, at most 500 Amount must be at most 500")
    for label, value in (("City", "Oslo"), ("Until", "2027-03-01"), ("Your name", "Ana")):
        expect(page.get_by_label(label)).to_have_value(value)
    page.get_by_role("alert").get_by_role("link", name="Amount").click()
    expect(amount).to_be_in_viewport()
    amount.fill("300")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Approved")
    data = step(shared_server.wait(execution, "succeeded"), "next")["exports"]["$return_value"]["body"]
    assert data == {"amount": 300, "city": "Oslo", "notify": True, "until": "2027-03-01"}


def test_the_deadline_is_put_off_and_then_it_is_decided(review: Open, shared_server: Server) -> None:
    execution, page = review("pd.flow.suspend(3_600_000)")
    before = shared_server.get(execution)["waiting"]["wakes_at"]
    page.get_by_label("Comment").fill("on holiday")
    page.get_by_label("Put the deadline off by").select_option("3 days")
    page.get_by_role("button", name="Put off").click()
    expect(page.get_by_role("alert")).to_have_text("The deadline was put off.")
    waiting = shared_server.get(execution)["waiting"]
    assert waiting["wakes_at"] > before
    expect(page.get_by_text(waiting["otherwise"])).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Approved")


def test_the_enter_key_decides_nothing(review: Open, shared_server: Server) -> None:
    execution, page = review()
    address = page.url
    page.get_by_label("Your name").fill("Ana")
    page.get_by_label("Your name").press("Enter")
    page.get_by_label("Comment").fill("still here")
    assert page.url == address
    expect(page.get_by_label("Comment")).to_have_value("still here")
    assert shared_server.get(execution)["status"] == "suspended"


def test_of_two_tabs_one_wins_and_the_other_sees_who(review: Open, phone: BrowserContext) -> None:
    _, mine = review()
    theirs = phone.new_page()
    theirs.goto(mine.url)
    for page, name, button in ((theirs, "Ben", "Cancel"), (mine, "Ana", "Approve")):
        page.get_by_label("Your name").fill(name)
        page.get_by_role("button", name=button).click()
    expect(theirs.get_by_role("heading", level=1)).to_have_text("Cancelled")
    expect(mine.get_by_role("heading", level=1)).to_have_text("Already cancelled")
    expect(mine.get_by_text("Already cancelled by Ben, ")).to_be_visible()


def test_what_changed_since_it_was_loaded_is_shown_again(phone: BrowserContext, shared_server: Server) -> None:
    source = """
import pathlib, time
base = pathlib.Path(pd.context.trace_id)
print('first look')
base.with_suffix('.link').write_text(pd.flow.suspend().review_url)
while not base.with_suffix('.more').exists(): time.sleep(.01)
print('second look')
base.with_suffix('.said').touch()
while not base.with_suffix('.end').exists(): time.sleep(.01)
"""
    execution = shared_server.run(cell(source, "ask"))
    file = shared_server.root / f"{execution}.link"
    url = shared_server.until(lambda: file.exists() and file.read_text())
    shared_server.until(lambda: "first look" in httpx.get(url).text)
    page = phone.new_page()
    page.goto(url)
    (shared_server.root / f"{execution}.more").touch()
    shared_server.until(lambda: "second look" in httpx.get(url).text)
    page.get_by_label("Your name").fill("Ana")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("alert")).to_contain_text("has changed since you opened this page")
    expect(page.get_by_text("second look")).to_be_visible()
    expect(page.get_by_label("Your name")).to_have_value("Ana")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("the decision takes effect when it ends")).to_be_visible()
    (shared_server.root / f"{execution}.end").touch()
    shared_server.wait(execution, "succeeded")


def scan(context: BrowserContext, links: list[str]) -> list[Request]:
    """What a scanner of mails does: it asks for every link, opens it in a browser, and goes on from there."""
    asked: list[Request] = []
    for link in links:
        for accept in ("*/*", "text/html"):
            httpx.head(link, headers={"Accept": accept})
            httpx.get(link, headers={"Accept": accept})
        page = context.new_page()
        page.on("request", lambda request: asked.append(request))
        page.goto(link)
        page.wait_for_load_state("networkidle")
        for found in page.get_by_role("link").all():
            httpx.get(str(httpx.URL(page.url).join(found.get_attribute("href") or "")))
        page.close()
    return asked


@pytest.mark.parametrize("confirming", [True, False], ids=["links that confirm", "the review link"])
@pytest.mark.parametrize(
    "options",
    [{"java_script_enabled": False}, {}, {"bypass_csp": True}],
    ids=["without scripts", "with scripts", "with scripts and no policy"],
)
def test_a_scanner_of_mails_changes_nothing(
    browser: Browser, make_server: Any, confirming: bool, options: dict[str, Any]
) -> None:
    server = make_server(f"--FlowNB.confirm_links={confirming}").start()
    script = "<script>document.forms[0].submit(); fetch(document.forms[0].action, {method: 'POST'})</script>"
    lively = f"display({{'text/html': {script!r} + '<b>look</b>'}}, raw=True)\npd.flow.suspend();"
    execution = server.run(cell(lively, "ask"), cell("1", "next"))
    before = server.wait(execution, "suspended")
    journal = server.http.get(f"/executions/{execution}/journal").json()
    named = ("resume_url", "cancel_url", "review_url") if confirming else ("review_url",)
    context = browser.new_context(**options)
    asked = scan(context, [before["waiting"][name] for name in named])
    context.close()
    assert {request.method for request in asked} == {"GET"}
    assert len(asked) == len(named)
    assert server.get(execution) == before
    assert server.http.get(f"/executions/{execution}/journal").json() == journal


def test_a_page_fits_a_phone_and_its_policy_stops_nothing_of_its_own(
    browser: Browser, shared_server: Server, screenshots: Shoot
) -> None:
    long = "a_very_long_name_without_any_space_" * 4
    ask = f"print('x' * 300)\npd.flow.suspend(reason='please ' + {long!r} * 3);"
    execution = shared_server.run(cell(ask, long[:100]), cell("1", "next"))
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(shared_server.wait(execution, "suspended")["waiting"]["review_url"])
    screenshots(page, "review-long-names")
    box = page.locator("main").bounding_box()
    assert box is not None
    assert box["width"] == PHONE["width"]
    for control in page.locator("button:visible, input:visible, select, textarea, .reason, dd, pre").all():
        place = control.bounding_box()
        assert place is not None
        assert place["x"] + place["width"] <= PHONE["width"]
    assert refused == []
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_the_page(browser: Browser, shared_server: Server, scheme: Any) -> None:
    text = {"cell_type": "markdown", "source": TEXT, "metadata": {"tags": ["show-approver"]}}
    ask = f"pd.flow.suspend(reason='Send it?', form={FORM!r});"
    execution = shared_server.run(text, cell(TABLE, "totals", "show-approver"), cell(ask, "ask"))
    # The page lets no script run, not even that of the checker.
    page = browser.new_page(viewport=PHONE, color_scheme=scheme, bypass_csp=True)
    page.goto(shared_server.wait(execution, "suspended")["waiting"]["review_url"])
    for button in (None, "Put off", "Approve", "Cancel"):
        if button is not None:
            page.get_by_role("button", name=button).click()
            expect(page.get_by_role("heading", level=1).or_(page.get_by_role("alert")).first).to_be_visible()
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cancelled")
    page.close()


def test_pictures_of_the_page(browser: Browser, shared_server: Server, screenshots: Shoot) -> None:
    text = {"cell_type": "markdown", "source": TEXT, "metadata": {"tags": ["show-approver"]}}
    ask = f"pd.flow.suspend(reason='Send the invoices of November to 340 customers?', form={FORM!r});"
    cells = (text, cell(TABLE, "totals", "show-approver"), cell(ask, "ask the accountants"))
    execution = shared_server.submit(write(shared_server.root, "invoices.ipynb", *cells))
    url = shared_server.wait(execution, "suspended")["waiting"]["review_url"]
    schemes: dict[str, Any] = {
        "review-phone": {"viewport": PHONE},
        "review-phone-dark": {"viewport": PHONE, "color_scheme": "dark"},
        "review-desktop": {"viewport": {"width": 1200, "height": 800}},
    }
    for name, options in schemes.items():
        page = browser.new_page(**options)
        page.goto(url)
        expect(page.get_by_role("img")).to_have_count(1)
        expect(page.get_by_role("cell", name="Chiara Rossi")).to_be_attached()
        screenshots(page, name)
        page.close()
    page = browser.new_page(viewport=PHONE)
    page.goto(url)
    page.get_by_label("Amount").fill("900")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("alert")).to_be_visible()
    screenshots(page, "review-wrong-value")
    page.get_by_label("Your name").fill("Ana Gutiérrez")
    page.get_by_label("Comment").fill("The south has to be checked first: two customers have no address.")
    page.get_by_role("button", name="Cancel").click()
    shared_server.wait(execution, "cancelled")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cancelled")
    screenshots(page, "review-decided")
    page.close()
