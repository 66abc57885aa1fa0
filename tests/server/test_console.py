"""The console over HTTP, without JavaScript: its pages, its forms, and who may do what."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from flownb import __version__
from flownb.testing.server import PATIENCE
from tests.conftest import MakeServer
from tests.support.notebooks import cell
from tests.support.server import REPOSITORY, TOKEN, Server, returned

ASK = cell("print('a sum: 42')\npd.flow.suspend(3_600_000, reason='<b>look</b>');", "ask")
DONE = cell("pd.context.resumed_by", "done")
SCHEMA = {"type": "object", "properties": {"amount": {"type": "integer", "minimum": 1}}, "required": ["amount"]}
FORM = cell(f"pd.flow.suspend(3_600_000, form={SCHEMA!r});", "form")
BODY = cell("pd.steps['form'].resume_data['body']", "body")
HARM = "<script>alert(1)</script><b onclick='x()'>bold</b>"
LIVELY = cell(f"from IPython.display import HTML\nHTML({HARM!r})", "lively")

READ_ONLY = """
from jupyter_server.auth import Authorizer

class ReadOnly(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return resource != "flownb" or action == "read" or "api/" in handler.request.path

c.ServerApp.authorizer_class = ReadOnly
"""


class Person:
    """Somebody at a browser that runs no scripts."""

    def __init__(self, server: Server) -> None:
        self.http = httpx.Client(base_url=server.api.removesuffix("api"), timeout=PATIENCE)
        self.page("", token=TOKEN)

    def page(self, path: str, **query: str) -> str:
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.text

    def send(self, path: str, **fields: str | list[str]) -> httpx.Response:
        """Send a form, with the token that the pages put into it."""
        return self.http.post(path, data={"_xsrf": self.http.cookies["_xsrf"], **fields})

    def after(self, path: str, **fields: str | list[str]) -> str:
        """The page that a form leads to."""
        answer = self.send(path, **fields)
        assert answer.status_code == 303, answer.text
        return self.http.get(httpx.URL(str(self.http.base_url)).join(answer.headers["Location"])).text


@pytest.fixture
def person(shared_server: Server) -> Iterator[Person]:
    made = Person(shared_server)
    yield made
    made.http.close()


@pytest.fixture
def asking(shared_server: Server) -> Callable[..., tuple[str, str]]:
    """Makes executions that wait: their id, and that of their pause."""

    def make(*cells: Any) -> tuple[str, str]:
        execution = shared_server.run(*(cells or (ASK, DONE)))
        return execution, shared_server.wait(execution, "suspended")["waiting"]["pause"]

    return make


def test_nobody_sees_a_page_without_logging_in(shared_server: Server) -> None:
    with httpx.Client(base_url=shared_server.api.removesuffix("api")) as stranger:
        for path in ("", "executions", "inbox", "workflows", "outbox", "executions/x", "executions/x/rendered"):
            answer = stranger.get(path)
            assert answer.status_code == 302
            assert "/login?" in answer.headers["Location"]


def test_every_page_has_the_policy_and_no_inline_code(person: Person, asking: Callable[..., tuple[str, str]]) -> None:
    execution, _ = asking()
    for path in ("", "executions", "inbox", "workflows", "outbox", f"executions/{execution}", "executions/nobody"):
        answer = person.http.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert " style=" not in answer.text
        assert "<script>" not in answer.text
        assert answer.headers["Cache-Control"] == "no-store"


def test_what_waits_is_on_the_overview_in_the_inbox_and_in_the_list(
    person: Person, asking: Callable[..., tuple[str, str]]
) -> None:
    execution, pause = asking()
    for path in ("", "inbox", "executions"):
        page = person.page(path)
        assert execution in page
        assert "&lt;b&gt;look&lt;/b&gt;" in page
        assert "<b>look" not in page
        assert "continues by itself on" in page
    assert f"{execution} {pause}" in person.page("inbox")


def test_half_of_a_surrogate_pair_spoils_no_page(person: Person, asking: Callable[..., tuple[str, str]]) -> None:
    code = "pd.send.email(subject='a', text='\\ud800', to='a@example.org')\npd.flow.suspend(reason='lone \\ud800');"
    execution, pause = asking(cell(code, "ask"), cell("'\ud800'", "said"))
    try:
        one = f"executions/{execution}"
        for path in ("", "inbox", "executions", "outbox", one, f"{one}/rendered"):
            assert person.http.get(path).status_code == 200, path
        assert "lone ?" in person.page(f"executions/{execution}")
    finally:  # so that the other tests here find their pages in order
        person.send(f"executions/{execution}/decide", act="cancel", pause=pause)


def test_lists_are_filtered_searched_and_turned_over(person: Person, shared_server: Server) -> None:
    ids = [shared_server.run(cell("1", "only")) for _ in range(3)]
    for execution in ids:
        shared_server.wait(execution, "succeeded")
    assert ids[0] in person.page("executions", search=ids[0][:12])
    assert ids[1] not in person.page("executions", search=ids[0])
    assert f"executions/{ids[0]}" not in person.page("executions", status="failed", search=ids[0])
    workflow = shared_server.get(ids[0])["workflow"]
    page = person.page("executions", workflow=workflow, status="succeeded")
    assert ids[0] in page
    assert ids[1] not in page
    older = person.page("executions", before=ids[1])
    assert ids[0] in older
    assert ids[1] not in older
    assert "Newest" in older
    assert "No execution is like that" in person.page("executions", search="nothing is called that")
    wrong = person.http.get("executions", params={"status": "so-so"})
    assert wrong.status_code == 400
    assert "status is one of" in wrong.text


def test_an_approval_is_signed_and_told(
    person: Person, shared_server: Server, asking: Callable[..., tuple[str, str]]
) -> None:
    execution, pause = asking()
    said = {"act": "resume", "pause": pause, "by": "Ana", "comment": "fine\r\nby me"}
    assert "Approved" in person.after(f"executions/{execution}/decide", **said)
    done = shared_server.wait(execution, "succeeded")
    assert returned(done, "done") == {"name": "Ana", "user": None, "via": "console", "comment": "fine\nby me"}
    (ended,) = done["pauses"]
    assert ended["decision"]["ip"] == "127.0.0.1"
    page = person.page(f"executions/{execution}")
    assert "Ana" in page
    assert "in the console, from 127.0.0.1" in page
    assert "Already approved" in person.after(f"executions/{execution}/decide", **said)
    assert "Already approved" in person.after(f"executions/{execution}/decide", **{**said, "act": "cancel"})


def test_a_cancelled_execution_says_who_cancelled_it(
    person: Person, shared_server: Server, asking: Callable[..., tuple[str, str]]
) -> None:
    execution, pause = asking()
    person.after(f"executions/{execution}/decide", act="cancel", pause=pause, by="Bo")
    shared_server.wait(execution, "cancelled")
    assert "Bo" in person.page(f"executions/{execution}")


def test_a_deadline_is_put_off(person: Person, shared_server: Server, asking: Callable[..., tuple[str, str]]) -> None:
    execution, pause = asking()
    before = shared_server.get(execution)["waiting"]["wakes_at"]
    assert "Put off" in person.after(f"executions/{execution}/decide", act="postpone", pause=pause, later="1d")
    assert shared_server.get(execution)["waiting"]["wakes_at"] > before


def test_what_runs_is_cancelled_without_a_pause(person: Person, shared_server: Server) -> None:
    execution = shared_server.run("import time; time.sleep(600)")
    shared_server.wait(execution, "running")
    assert "Cancel this execution" in person.page(f"executions/{execution}")
    assert "Cancelled" in person.after(f"executions/{execution}/decide", act="cancel")
    shared_server.wait(execution, "cancelled")


def test_a_form_keeps_what_was_typed_until_it_is_right(
    person: Person, shared_server: Server, asking: Callable[..., tuple[str, str]]
) -> None:
    execution, pause = asking(FORM, BODY)
    assert "Fill in" in person.page("inbox")
    said = {"act": "resume", "pause": pause, "comment": "kept"}
    for wrong in ("abc", "0", ""):
        answer = person.send(f"executions/{execution}/decide", **said, **{"data.amount": wrong})
        assert answer.status_code == 422
        assert f'value="{wrong}"' in answer.text
        assert 'aria-invalid="true"' in answer.text
        assert "kept" in answer.text
        assert shared_server.get(execution)["status"] == "suspended"
    person.after(f"executions/{execution}/decide", **said, **{"data.amount": "7"})
    assert returned(shared_server.wait(execution, "succeeded"), "body") == {"amount": 7}


def test_many_are_decided_on_at_once(
    person: Person, shared_server: Server, asking: Callable[..., tuple[str, str]]
) -> None:
    made = [asking(), asking(), asking(FORM, BODY)]
    first, second, form = (f"{execution} {pause}" for execution, pause in made)
    page = person.after("inbox", act="resume", chosen=[first, second, form], by="Ana", comment="all of them")
    assert "2 approved; 1 not accepted" in page
    for execution, _ in made[:2]:
        assert returned(shared_server.wait(execution, "succeeded"), "done")["comment"] == "all of them"
    assert shared_server.get(made[2][0])["status"] == "suspended"
    assert "1 had been approved before" in person.after("inbox", act=f"cancel {first}")
    assert "1 cancelled" in person.after("inbox", act=f"cancel {form}")
    assert "1 not found" in person.after("inbox", act="cancel nobody ask/1/1")
    assert "Nothing was selected" in person.after("inbox", act="resume")


def test_a_form_without_the_token_of_its_page_does_nothing(
    person: Person, shared_server: Server, asking: Callable[..., tuple[str, str]]
) -> None:
    execution, pause = asking()
    said = {"act": "cancel", "pause": pause}
    for token in ({}, {"_xsrf": "made-up"}):
        answer = person.http.post(f"executions/{execution}/decide", data={**said, **token})
        assert answer.status_code == 403
        assert "Not allowed" in answer.text
    assert person.send("inbox", act="burn").status_code == 400
    assert shared_server.get(execution)["status"] == "suspended"


def test_what_is_too_large_or_unreadable_is_refused_in_words(
    person: Person, shared_server: Server, asking: Callable[..., tuple[str, str]]
) -> None:
    execution, pause = asking()
    large = person.send(f"executions/{execution}/decide", act="resume", pause=pause, comment="x" * 600_000)
    assert large.status_code == 413
    assert "Too large" in large.text
    long = person.send(f"executions/{execution}/decide", act="resume", pause=pause, comment="x" * 10_001)
    assert long.status_code == 400
    crowded = {f"f{number}": "1" for number in range(1_001)}
    assert person.send(f"executions/{execution}/decide", act="resume", pause=pause, **crowded).status_code == 400
    assert shared_server.get(execution)["status"] == "suspended"


def test_who_may_only_read_sees_no_buttons_and_can_press_none(make_server: MakeServer) -> None:
    server = make_server()
    (server.root / "read_only.py").write_text(READ_ONLY)
    server.settings.append(f"--config={server.root / 'read_only.py'}")
    server.start()
    execution = server.run(ASK, DONE)
    pause = server.wait(execution, "suspended")["waiting"]["pause"]
    person = Person(server)
    for path in ("", "inbox", "executions", "workflows", "outbox", f"executions/{execution}"):
        assert 'method="post" action' not in person.page(path) or path == "inbox"
        assert 'class="go"' not in person.page(path)
    answer = person.send(f"executions/{execution}/decide", act="resume", pause=pause)
    assert answer.status_code == 403
    assert "Not allowed" in answer.text
    assert server.get(execution)["status"] == "suspended"
    person.http.close()


def test_the_rendered_notebook_runs_nothing(person: Person, shared_server: Server) -> None:
    execution = shared_server.run(LIVELY)
    shared_server.wait(execution, "succeeded")
    answer = person.http.get(f"executions/{execution}/rendered")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert "allow-scripts" not in answer.headers["Content-Security-Policy"]
    assert "allow-same-origin" not in answer.headers["Content-Security-Policy"]
    assert "<script" not in answer.text
    assert "<b onclick" not in answer.text
    assert "<b>bold</b>" in answer.text
    assert "sandbox=" in person.page(f"executions/{execution}")


def test_a_failure_is_shown_with_its_traceback_and_replayed(person: Person, shared_server: Server) -> None:
    execution = shared_server.run(cell("1", "one"), cell("raise ValueError('no rows')", "two"))
    shared_server.wait(execution, "failed")
    page = person.page(f"executions/{execution}")
    assert "no rows" in page
    assert "Traceback" in page
    assert "\x1b[" not in page
    page = person.after(f"executions/{execution}/replay", step="two", version="same")
    assert "This is the new execution" in page
    assert execution in page
    assert person.send(f"executions/{execution}/replay", step="nowhere").status_code == 400


def test_an_execution_is_opened_in_jupyter(
    person: Person, shared_server: Server, asking: Callable[..., tuple[str, str]]
) -> None:
    execution, _ = asking()
    answer = person.send(f"executions/{execution}/open", step="")
    assert answer.status_code == 303
    path = answer.headers["Location"].partition("/lab/tree/")[2]
    assert (shared_server.root / path).exists()


def test_a_workflow_is_started_again_with_data(person: Person, shared_server: Server) -> None:
    execution = shared_server.run(cell("pd.steps.trigger.event.body", "told"))
    notebook = shared_server.wait(execution, "succeeded")["notebook"]
    assert notebook in person.page("workflows")
    answer = person.send("workflows/start", notebook=notebook, data='{"days": 3}')
    assert answer.status_code == 303
    started = answer.headers["Location"].rpartition("/")[2].partition("?")[0]
    assert returned(shared_server.wait(started, "succeeded"), "told") == {"days": 3}
    wrong = person.send("workflows/start", notebook=notebook, data="{")
    assert wrong.status_code == 400
    assert "not JSON" in wrong.text
    assert person.send("workflows/start", notebook="nowhere.ipynb").status_code == 404


def test_a_server_that_stands_by_says_so_and_names_the_other(make_server: MakeServer) -> None:
    first = make_server().start()
    second = make_server(root=first.root)
    second.launch()

    def answer() -> httpx.Response | None:
        try:
            found = httpx.get(second.api.removesuffix("api"), params={"token": TOKEN})
        except httpx.TransportError:
            return None
        return found if "stands by" in found.text else None

    found = second.until(answer)
    assert found.status_code == 503
    assert f":{first.port}/" in found.text


def test_a_draining_server_says_so(make_server: MakeServer) -> None:
    server = make_server().start()
    person = Person(server)
    assert "draining" not in person.page("")
    server.http.post("/drain", json={"on": True})
    assert "draining" in person.page("")
    person.http.close()


def test_the_extension_of_jupyterlab_has_the_version_of_the_package() -> None:
    package = json.loads((REPOSITORY / "labextension" / "package.json").read_text())
    assert package["version"] == __version__


def test_words_of_an_address_are_not_shown(person: Person) -> None:
    page = person.page("inbox", said="Send your password to me")
    assert "password" not in page
    assert "3 approved" in person.page("inbox", said="resumed.3")


def test_mails_that_cannot_be_sent_are_in_the_outbox(person: Person, shared_server: Server) -> None:
    execution = shared_server.run(cell("pd.send.email(subject='<i>The sum</i>', text='is 42', to='ana@example.org')"))
    shared_server.wait(execution, "succeeded")
    page = person.page("outbox")
    assert "No mail server is set up" in page
    assert "&lt;i&gt;The sum&lt;/i&gt;" in page
    assert "ana@example.org" in page
    assert execution in page
