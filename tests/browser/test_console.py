"""The console in a real browser: live, by keyboard, readable by everybody, and whole without JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Shoot
from tests.conftest import MakeServer
from tests.support.notebooks import cell, write
from tests.support.server import TOKEN, Server

ASK = cell("print('a sum: 42')\npd.flow.suspend(86_400_000, reason='Is the sum right?');", "ask")
DONE = cell("print('done')", "done")
SCHEMA = {
    "type": "object",
    "properties": {
        "amount": {"type": "integer", "minimum": 1, "description": "In euros"},
        "size": {"enum": ["small", "large"]},
        "colours": {"type": "array", "items": {"enum": ["red", "green"]}},
        "note": {"type": "string", "maxLength": 500},
        "read": {"type": "boolean", "title": "I have read it"},
    },
    "required": ["amount"],
}
FORM = cell(f"pd.flow.suspend(3_600_000, reason='How much?', form={SCHEMA!r}, on_timeout='cancel');", "how_much")
FAIL = cell("raise ValueError('the file has no rows')", "fail")
POLL = cell("pd.flow.rerun(600_000);", "poll")
SHOW = cell(
    "from IPython.display import Markdown\nMarkdown('## A heading\\n\\n| a | b |\\n|---|---|\\n| 1 | 2 |')", "show"
)
MAIL = cell("pd.send.email(subject='The sum', text='is 42', to='ana@example.org')", "mail")
LONG = "a-name-that-nobody-would-give-but-somebody-will-" + "x" * 60
PAGES = (
    "",
    "inbox",
    "executions",
    "executions?search=nothing-is-called-that",
    "workflows",
    "deployed/orders",
    "deployed/orders/versions/2",
    "outbox",
    "data",
    "data/nothing",
    "executions/nobody",
)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

Look = Callable[..., Page]


@pytest.fixture(scope="module")
def full(folders: Callable[[], Path]) -> Iterator[tuple[Server, dict[str, str]]]:
    """A server with an execution of each sort, and their ids."""
    server = Server(folders()).start()
    ids = {
        "asking": server.run(ASK, DONE, data={"days": 3}),
        "form": server.run(FORM),
        "failed": server.run(DONE, FAIL),
        "polling": server.run(POLL),
        "succeeded": server.run(SHOW, MAIL, cell("pd.export('sum', 42)", "export")),
        "long": server.submit(
            write(server.root, f"{LONG}.ipynb", cell("pd.flow.suspend(reason='word ' * 80 + 'w' * 200);", "y" * 60))
        ),
    }
    settings = {"schedule": {"cron": "0 9 * * MON-FRI", "timezone": "Europe/Berlin"}, "concurrency": 2}
    for step in ("print('one')", "print('two')", "total = 3\nprint('three')"):
        path = write(server.root, "orders.ipynb", ASK, cell(step, "book"), flownb=settings)
        if "three" not in step:
            assert server.http.put("/workflows/orders", json={"notebook": path}).status_code == 200
    ids["deployed"] = server.http.post("/executions", json={"workflow": "orders"}).json()["id"]
    final = {"failed": "failed", "succeeded": "succeeded"}
    for name, execution in ids.items():
        server.wait(execution, final.get(name, "suspended"))
    yield server, ids
    server.close()


@contextmanager
def looking(browser: Browser, server: Server, **options: Any) -> Iterator[Page]:
    """A page of somebody who is logged in; fails where the console breaks its own policy, or a script does."""
    context = browser.new_context(base_url=server.api.removesuffix("api"), **options)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    page.goto(f"?token={TOKEN}")
    try:
        yield page
    finally:
        context.close()
    assert wrong == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_page_is_usable_by_everybody(
    browser: Browser, full: tuple[Server, dict[str, str]], scheme: Literal["light", "dark"]
) -> None:
    server, ids = full
    executions = [path for id in ids.values() for path in (f"executions/{id}", f"executions/{id}/rendered")]
    with looking(browser, server, color_scheme=scheme, bypass_csp=True) as page:
        for path in [*PAGES, *executions]:
            page.goto(path)
            page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            found = Axe().run(page)
            assert found.violations_count == 0, f"{path}: {found.generate_report()}"


def test_no_page_is_wider_than_a_phone(browser: Browser, full: tuple[Server, dict[str, str]]) -> None:
    server, ids = full
    with looking(browser, server, viewport={"width": 360, "height": 740}) as page:
        for path in [*PAGES, *(f"executions/{id}" for id in ids.values())]:
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path


def test_the_documentation_has_pictures(
    browser: Browser, full: tuple[Server, dict[str, str]], screenshots: Shoot
) -> None:
    server, ids = full
    wide = {"width": 1280, "height": 900}
    for scheme, name, path in (
        ("light", "console-overview", ""),
        ("dark", "console-inbox-dark", "inbox"),
        ("light", "console-executions", "executions"),
        ("light", "console-execution", f"executions/{ids['asking']}"),
        ("light", "console-failed", f"executions/{ids['failed']}"),
        ("light", "console-workflows", "workflows"),
        ("light", "console-workflow", "deployed/orders"),
    ):
        with looking(browser, server, color_scheme=scheme, viewport=wide) as page:
            page.goto(path)
            if "iframe" in page.content():
                page.locator("iframe").scroll_into_view_if_needed()  # what is out of sight is not painted
                expect(page.frame_locator("iframe").locator("section").first).to_be_visible()
            screenshots(page, name)
    with looking(browser, server, viewport={"width": 390, "height": 800}) as page:
        page.goto("inbox")
        assert screenshots(page, "console-inbox-phone").exists()


def test_what_happens_elsewhere_is_seen_without_loading_the_page(browser: Browser, shared_server: Server) -> None:
    with looking(browser, shared_server) as page:
        page.goto("inbox")
        execution = shared_server.run(ASK, DONE)
        expect(page.get_by_text(execution)).to_be_visible()
        shared_server.post(execution, "resume")
        expect(page.get_by_text(execution)).to_have_count(0)


def test_an_approval_ends_on_a_page_that_goes_on_by_itself(browser: Browser, shared_server: Server) -> None:
    execution = shared_server.run(ASK, DONE)
    shared_server.wait(execution, "suspended")
    with looking(browser, shared_server) as page:
        page.goto(f"executions/{execution}")
        page.get_by_label("Your name").fill("Ana")
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("status").get_by_text("Approved")).to_be_visible()
        expect(page.locator("#head .badge")).to_contain_text("succeeded")
        expect(page.locator("#pauses")).to_contain_text("Ana")
        expect(page.locator("#decision")).to_have_count(0)
        expect(page.frame_locator("iframe").get_by_text("done", exact=True).last).to_be_visible()


def test_the_enter_key_decides_nothing(browser: Browser, shared_server: Server) -> None:
    execution = shared_server.run(ASK, DONE)
    shared_server.wait(execution, "suspended")
    with looking(browser, shared_server) as page:
        for path in (f"executions/{execution}", "inbox"):
            page.goto(path)
            page.get_by_label("Your name").fill("Ana")
            page.get_by_label("Your name").press("Enter")
            assert page.url.endswith(path)
        assert shared_server.get(execution)["status"] == "suspended"


def test_what_somebody_is_typing_stays_while_the_page_changes(browser: Browser, shared_server: Server) -> None:
    first = shared_server.run(ASK, DONE)
    shared_server.wait(first, "suspended")
    with looking(browser, shared_server) as page:
        page.goto("inbox")
        row = page.locator("tr", has_text=first)
        row.get_by_role("checkbox").check()
        page.get_by_label("Comment").fill("half a sen")
        second = shared_server.run(ASK, DONE)
        expect(page.get_by_text(second)).to_be_visible()
        assert page.get_by_label("Comment").input_value() == "half a sen"
        expect(page.get_by_label("Comment")).to_be_focused()
        expect(row.get_by_role("checkbox")).to_be_checked()
        page.goto(f"executions/{first}")
        page.get_by_label("Comment").fill("half a sen")
        page.locator("#trigger summary").click()
        shared_server.post(first, "cancel")
        expect(page.locator("#head .badge")).to_contain_text("cancelled")
        expect(page.locator("#decision")).to_contain_text("This has changed meanwhile")
        assert page.get_by_label("Comment").input_value() == "half a sen"
        assert page.locator("#trigger").get_attribute("open") is not None
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("status").get_by_text("Already cancelled")).to_be_visible()


def test_a_lost_server_is_told_of_and_found_again(browser: Browser, make_server: MakeServer) -> None:
    server = make_server().start()
    execution = server.run(ASK, DONE)
    server.wait(execution, "suspended")
    with looking(browser, server) as page:
        page.goto("inbox")
        expect(page.get_by_text(execution)).to_be_visible()
        server.kill()
        expect(page.get_by_text("The connection to the server is lost")).to_be_visible()
        server.start()
        server.post(execution, "resume")
        expect(page.get_by_text("The connection to the server is lost")).to_be_hidden(timeout=30_000)
        expect(page.get_by_text(execution)).to_have_count(0)


def test_everything_works_without_javascript(browser: Browser, shared_server: Server) -> None:
    execution = shared_server.run(FORM)
    shared_server.wait(execution, "suspended")
    with looking(browser, shared_server, java_script_enabled=False, viewport={"width": 390, "height": 800}) as page:
        page.goto("inbox")
        page.locator("tr", has_text=execution).get_by_role("link", name="Fill in").click()
        page.get_by_label("Amount").fill("0")
        page.get_by_label("Comment").fill("as agreed")
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_text("Please correct what is marked below")).to_be_visible()
        expect(page.get_by_label("Comment")).to_have_value("as agreed")
        page.get_by_label("Amount").fill("7")
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("status").get_by_text("Approved")).to_be_visible()
    shared_server.wait(execution, "succeeded")


def test_many_are_selected_and_approved_at_once(browser: Browser, shared_server: Server) -> None:
    notebook = write(shared_server.root, "many.ipynb", ASK, DONE)
    made = [shared_server.submit(notebook) for _ in range(12)]
    for execution in made:
        shared_server.wait(execution, "suspended")
    with looking(browser, shared_server) as page:
        page.goto("inbox?workflow=many.ipynb")
        expect(page.locator("#tbody tr")).to_have_count(len(made))
        for execution in made[:5]:
            page.locator("tr", has_text=execution).get_by_role("checkbox").check()
        page.get_by_role("button", name="Approve selected").click()
        expect(page.get_by_text("5 approved.")).to_be_visible()
        expect(page.locator("#tbody tr")).to_have_count(len(made) - 5)


def test_jupyterlab_opens_the_console_from_its_launcher(browser: Browser, make_server: Callable[..., Server]) -> None:
    server = make_server(front_ends=True).start()
    with looking(browser, server) as page:
        page.goto(f"http://127.0.0.1:{server.port}/lab?reset")
        card = page.locator(".jp-LauncherCard", has_text="flownb console")
        with page.context.expect_page() as opened:
            card.click(timeout=60_000)
        expect(opened.value.get_by_role("heading", name="Overview")).to_be_visible()
