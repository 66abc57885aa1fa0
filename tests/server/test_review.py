"""The page on which somebody decides without a login: what it shows, and what its form does and does not.

Kernels are kept, or the server is killed: what answers is the same where kernels alone are dropped.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.support.modes import EXTREMES
from tests.support.notebooks import cell
from tests.support.review import BROWSER, ReviewPage, words
from tests.support.server import Server, step

FORM = {
    "type": "object",
    "required": ["amount", "city"],
    "properties": {
        "amount": {"type": "integer", "maximum": 500, "title": "Amount", "description": "Euros"},
        "city": {"type": "string", "enum": ["Berlin", "Oslo"]},
        "notify": {"type": "boolean", "title": "Tell the customers"},
        "note": {"type": "string", "maxLength": 1000},
    },
}


def suspended(server: Server, call: str = "pd.flow.suspend(reason='Send it?')", *cells: Any) -> tuple[str, ReviewPage]:
    """An execution that waits, and its page."""
    execution = server.run(*cells, cell(f"print('computed', 6 * 7)\n{call};", "ask"), cell("pd.context.resume", "next"))
    return execution, ReviewPage(server.wait(execution, "suspended")["waiting"]["review_url"])


def decision(server: Server, execution: str) -> dict[str, Any]:
    """The latest decision on record."""
    found: dict[str, Any] = server.get(execution)["pauses"][-1]["decision"]
    return found


def waits_at(server: Server, execution: str, step: str) -> dict[str, Any] | None:
    """What the execution waits for, once it is at that step."""
    waiting: dict[str, Any] | None = server.get(execution)["waiting"]
    return waiting if waiting is not None and waiting["step"] == step else None


def is_waiting(server: Server, execution: str) -> bool:
    found = server.get(execution)
    return bool(found["status"] == "suspended" and found["pauses"][-1]["decision"] is None)


def test_it_says_who_asks_for_what_since_when_and_what_happens_otherwise(shared_server: Server) -> None:
    execution, page = suspended(shared_server)
    waiting = shared_server.get(execution)["waiting"]
    assert page.answer.status_code == 200
    for said in ("waits for a decision", "Send it?", "Step ask", execution, "computed 42", waiting["otherwise"]):
        assert said in page.text
    assert re.search(
        r"The workflow continues by itself on \w{3} \d\d \w{3} \d{4}, \d\d:\d\d UTC unless cancelled", page.text
    )
    assert re.search(r"Who asks Notebook n\d+\.ipynb, started \w{3} .* UTC, through the API", page.text)
    assert re.search(r"Waits since \w{3} ", page.text)
    assert "<script" not in page.answer.text
    assert '<html lang="en">' in page.answer.text


@pytest.mark.parametrize("each_server", EXTREMES, indirect=True)
@pytest.mark.parametrize(
    ("act", "status", "title"), [("resume", "succeeded", "Approved"), ("cancel", "cancelled", "Cancelled")]
)
def test_a_decision_with_name_and_comment(each_server: Server, act: str, status: str, title: str) -> None:
    execution, page = suspended(each_server)
    answer = page.send(act, by=" Ana ", comment="fine\r\nby <b>me</b>")
    assert answer.status_code == 200
    assert [found.status_code for found in answer.history] == [303]
    assert f"<h1>{title}</h1>" in answer.text
    each_server.wait(execution, status)
    made = decision(each_server, execution)
    assert (made["action"], made["by"], made["comment"], made["via"]) == (act, "Ana", "fine\nby <b>me</b>", "page")
    assert (made["ip"], made["user"], made["shown"]) == ("127.0.0.1", None, page.form.values["shown"])
    again = ReviewPage(page.url).text
    assert f"{title} by Ana, on this page" in again
    assert "Comment fine by <b>me</b>" in again
    assert ("The workflow finished on" if act == "resume" else "The workflow was cancelled on") in again
    if act == "resume":
        data = step(each_server.get(execution), "next")["exports"]["$return_value"]
        assert (data["method"], data["body"], data["client_ip"]) == ("POST", None, "127.0.0.1")
        assert page.url.rpartition("/")[2] not in str(data)


def test_after_a_decision_it_says_how_the_workflow_stands_now(shared_server: Server) -> None:
    execution, page = suspended(shared_server)
    page.send("resume")
    shared_server.wait(execution, "succeeded")
    assert "by somebody who gave no name" in ReviewPage(page.url).text
    source = "pd.flow.suspend(reason='once more')['resume_url'][:1]"
    twice = shared_server.run(cell(source, "one"), cell(source, "two"))
    first = ReviewPage(shared_server.wait(twice, "suspended")["waiting"]["review_url"])
    first.send("resume", by="Ana")
    shared_server.until(lambda: waits_at(shared_server, twice, "two"))
    assert "The workflow waits at step “two”. The workflow continues by itself" in ReviewPage(first.url).text


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": ""},
        {"nonce": "x" * 59},
        {"nonce": "é"},
        {"act": "review"},
        {"act": ""},
        {"shown": "0" * 64},
        {"shown": ""},
    ],
)
def test_a_form_that_is_not_of_the_page_does_nothing(shared_server: Server, wrong: dict[str, str]) -> None:
    execution, page = suspended(shared_server)
    answer = page.send(**{"act": "resume", "by": "Ana", "comment": "kept", **wrong})
    assert answer.status_code == 403
    assert "nothing was decided" in words(answer.text)
    assert is_waiting(shared_server, execution)
    assert 'value="Ana"' in answer.text
    assert "kept" in answer.text


def test_a_plain_post_does_nothing(shared_server: Server) -> None:
    execution, page = suspended(shared_server)
    for content, kind in (
        (b"", "text/plain"),
        (b"{}", "application/json"),
        (b"&" * 5000, "application/x-www-form-urlencoded"),
    ):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = httpx.request(method, page.url, content=content, headers={**BROWSER, "Content-Type": kind})
            assert answer.status_code in (200, 403)
    too_many = "&".join(f"a{number}=1" for number in range(2000))
    kind = "application/x-www-form-urlencoded"
    assert httpx.post(page.url, content=too_many, headers={"Content-Type": kind}).status_code == 403
    assert httpx.post(page.url, content=b"x" * 600_000, headers={"Content-Type": kind}).status_code == 413
    assert is_waiting(shared_server, execution)


def test_every_load_has_a_word_of_its_own_and_that_of_another_pause_is_of_no_use(shared_server: Server) -> None:
    (execution, page), (other, theirs) = suspended(shared_server), suspended(shared_server)
    assert page.form.values["nonce"] != ReviewPage(page.url).form.values["nonce"]
    assert page.send("resume", **theirs.form.values).status_code == 403
    assert page.send("resume", nonce=theirs.form.values["nonce"]).status_code == 403
    assert is_waiting(shared_server, execution)
    assert is_waiting(shared_server, other)


def test_a_page_that_was_loaded_before_a_restart_still_decides(make_server: Any) -> None:
    server = make_server().start()
    execution, page = suspended(server)
    server.kill()
    server.start()
    assert "<h1>Approved</h1>" in page.send("resume").text
    server.wait(execution, "succeeded")


def test_of_many_who_decide_at_once_one_wins_and_the_others_see_who(shared_server: Server) -> None:
    execution, page = suspended(shared_server)
    pages = [ReviewPage(page.url) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        acts = ["resume", "cancel"] * 4
        answers = list(pool.map(lambda n: pages[n].send(acts[n], by=f"Person {n}"), range(8)))
    winner = decision(shared_server, execution)["by"]
    won = [answer for answer in answers if answer.history]
    assert len(won) == 1
    for answer in answers:
        assert f"by {winner}" in words(answer.text)
        assert answer.history or "Already" in answer.text
        assert answer.status_code in (200, 409)
    late = page.send("postpone", later="1d")
    assert f"by {winner}" in words(late.text)


@pytest.mark.parametrize("each_server", EXTREMES, indirect=True)
def test_the_fields_of_a_form(each_server: Server) -> None:
    execution, page = suspended(each_server, f"pd.flow.suspend(form={FORM!r})")
    assert "Amount Euros City" in page.text
    wrong = page.send("resume", **{"data.amount": "900", "data.city": "Berlin", "by": "Ana", "comment": "kept"})
    assert wrong.status_code == 422
    assert re.search(r'<p class="wrong" id="f0e">Amount [^<]*500', wrong.text)
    assert 'value="900" aria-invalid' in re.sub(r"\s+", " ", wrong.text).replace(' aria-required="true"', "")
    assert 'aria-describedby="f0h f0e"' in wrong.text
    assert '<option value="Berlin" selected>' in wrong.text
    assert 'value="Ana"' in wrong.text
    assert "kept</textarea>" in wrong.text
    empty = page.send("resume", **{"data.amount": "", "data.city": ""})
    assert (empty.status_code, empty.text.count('class="wrong"')) == (422, 2)
    unread = page.send("resume", **{"data.amount": "1,5", "data.city": ""})
    assert "Amount is not a whole number" in unread.text
    assert is_waiting(each_server, execution)
    fine = {"data.amount": "300", "data.city": "Oslo", "data.notify": "true", "data.note": "one\r\ntwo"}
    assert page.send("resume", **fine).status_code == 200
    data = step(each_server.wait(execution, "succeeded"), "next")["exports"]["$return_value"]
    assert data["body"] == {"amount": 300, "city": "Oslo", "notify": True, "note": "one\ntwo"}


def test_what_is_wrong_with_a_form_does_not_stand_in_the_way_of_cancelling(shared_server: Server) -> None:
    execution, page = suspended(shared_server, f"pd.flow.suspend(form={FORM!r})")
    assert "<h1>Cancelled</h1>" in page.send("cancel", **{"data.amount": "many"}).text
    shared_server.wait(execution, "cancelled")


def test_names_in_a_form_are_not_taken_for_the_pages_own(shared_server: Server) -> None:
    names = ("nonce", "shown", "act", "by", "comment", "later", "")
    form = {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": list(names)}
    execution, page = suspended(shared_server, f"pd.flow.suspend(form={form!r})")
    page.send("resume", by="Ana", **{f"data.{name}": f"their {name}" for name in names})
    data = step(shared_server.wait(execution, "succeeded"), "next")["exports"]["$return_value"]
    assert data["body"] == {name: f"their {name}" for name in names}
    assert decision(shared_server, execution)["by"] == "Ana"


def test_too_long_a_comment_is_told_and_nothing_is_decided(shared_server: Server) -> None:
    execution, page = suspended(shared_server)
    answer = page.send("resume", comment="x" * 20_000)
    assert (answer.status_code, "at most 10,000 characters" in answer.text) == (422, True)
    assert is_waiting(shared_server, execution)


def test_secrets_in_a_comment_are_not_kept(shared_server: Server) -> None:
    execution, page = suspended(shared_server)
    page.send("resume", comment=f"see {page.url}", by=page.url[-60:])
    made = decision(shared_server, execution)
    assert page.url.rpartition("/")[2] not in str(made)
    assert made["comment"].startswith("see http")


def test_the_deadline_is_put_off(shared_server: Server) -> None:
    execution, page = suspended(shared_server, "pd.flow.suspend(3_600_000)")
    before = shared_server.get(execution)["waiting"]["wakes_at"]
    answer = page.send("postpone", later="7d", by="Ana")
    assert "The deadline was put off." in answer.text
    waiting = shared_server.get(execution)["waiting"]
    assert waiting["wakes_at"] > before
    assert waiting["otherwise"] in words(answer.text)
    old = page.send("resume")
    assert (old.status_code, is_waiting(shared_server, execution)) == (403, True)
    assert page.send("postpone", later="7d").status_code == 403
    new = ReviewPage(page.url)
    assert new.send("postpone", later="400d").status_code == 422
    for _ in range(60):
        last = ReviewPage(page.url).send("postpone", later="7d")
        if last.status_code == 422:
            break
    assert "366 days" in words(last.text)
    assert "<h1>Approved</h1>" in ReviewPage(page.url).send("resume").text


@pytest.mark.parametrize("call", ["pd.flow.rerun(3_600_000, max_retries=3)", "pd.flow.delay(3_600_000)"])
def test_only_what_waits_for_people_is_put_off(shared_server: Server, call: str) -> None:
    execution, page = suspended(shared_server, f"if pd.context.run.runs == 1: {call}")
    assert "Put off" not in page.text
    assert ("run 1 of 4" in page.text) == ("rerun" in call)
    assert page.send("postpone", later="1d").status_code == 409
    assert is_waiting(shared_server, execution)
    assert "<h1>Approved</h1>" in page.send("resume").text
    shared_server.wait(execution, "succeeded")


@pytest.mark.parametrize("timed_server", EXTREMES, indirect=True)
def test_the_deadline_has_passed(timed_server: Server) -> None:
    execution, page = suspended(timed_server, "pd.flow.suspend(3_600_000, on_timeout='cancel')")
    assert "The workflow is cancelled on" in page.text
    assert "unless approved" in page.text
    timed_server.advance(hours=2)
    timed_server.wait(execution, "cancelled")
    assert "<h1>Nobody decided in time</h1>" in ReviewPage(page.url).answer.text
    assert (page.send("resume").status_code, timed_server.get(execution)["status"]) == (410, "cancelled")


TAGGED = "show-approver"


def test_the_tagged_cells_are_shown_as_their_latest_run_left_them(shared_server: Server) -> None:
    text = {
        "cell_type": "markdown",
        "source": "# Please *check*\n\n| a |\n|---|\n| 1 |",
        "metadata": {"tags": [TAGGED]},
    }
    hidden = {"cell_type": "markdown", "source": "not for them", "metadata": {}}
    count = "print('count', pd.context.run.runs)\nif pd.context.run.runs < 3: pd.flow.rerun(0)"
    ask = "print('computed', 6 * 7); pd.flow.suspend();"
    cells = (text, hidden, cell(count, "count", TAGGED), cell("print('no')"), cell(ask, "ask"), cell("1", "n", TAGGED))
    execution = shared_server.run(*cells)
    waiting = shared_server.until(lambda: waits_at(shared_server, execution, "ask"))
    page = ReviewPage(waiting["review_url"])
    assert "<h3>Please <em>check</em></h3>" in page.answer.text
    assert "<td>1</td>" in page.answer.text
    assert "count 3" in page.text
    for absent in ("count 2", "not for them", "computed 42", ">no<"):
        assert absent not in page.text


def test_a_step_that_shows_nothing(shared_server: Server) -> None:
    execution = shared_server.run(cell("links = pd.flow.suspend()", "ask"))
    page = ReviewPage(shared_server.wait(execution, "suspended")["waiting"]["review_url"])
    assert "The notebook shows nothing here." in page.text


RUNNING = """
import pathlib, time
base = pathlib.Path(pd.context.trace_id)
def until(name):
    while not base.with_suffix(name).exists(): time.sleep(.01)
print('begun')
base.with_suffix('.link').write_text(pd.flow.suspend(reason='early').review_url)
until('.more'); print('more to see', flush=True); base.with_suffix('.said').touch()
until('.end')
"""


def test_what_has_changed_is_shown_again_before_it_is_decided(shared_server: Server) -> None:
    execution = shared_server.run(cell(RUNNING, "ask"))
    file = shared_server.root / f"{execution}.link"
    url = shared_server.until(lambda: file.exists() and file.read_text())
    shared_server.until(lambda: "begun" in ReviewPage(url).text)
    page = ReviewPage(url)
    assert "The step is still running; it pauses when it ends." in page.text
    (shared_server.root / f"{execution}.more").touch()
    shared_server.until(lambda: "more to see" in ReviewPage(url).text)
    changed = page.send("resume", by="Ana", comment="kept")
    assert changed.status_code == 409
    assert "What is shown here has changed since you opened this page" in words(changed.text)
    assert "more to see" in changed.text
    assert "kept</textarea>" in changed.text
    assert not any(pause["decision"] for pause in shared_server.get(execution)["pauses"])
    accepted = ReviewPage(url).send("resume", by="Ana")
    assert "the decision takes effect when it ends" in words(accepted.text)
    assert "Approved by Ana" in words(accepted.text)
    assert ReviewPage(url).answer.status_code == 200
    (shared_server.root / f"{execution}.end").touch()
    shared_server.wait(execution, "succeeded")
    assert "The workflow finished on" in ReviewPage(url).text


def test_a_decision_that_came_to_nothing(shared_server: Server) -> None:
    execution = shared_server.run(cell(f"{RUNNING}\nraise ValueError('no')", "ask"))
    file = shared_server.root / f"{execution}.link"
    url = shared_server.until(lambda: file.exists() and file.read_text())
    shared_server.until(lambda: "begun" in ReviewPage(url).text)
    ReviewPage(url).send("resume", by="Ana")
    for name in (".more", ".end"):
        (shared_server.root / f"{execution}{name}").touch()
    shared_server.wait(execution, "failed")
    page = ReviewPage(url)
    assert "<h1>Without effect</h1>" in page.answer.text
    assert "The workflow failed on" in page.text


def test_links_that_want_a_confirmation_lead_to_the_same_page(shared_server: Server) -> None:
    execution = shared_server.run(cell("print('look');pd.flow.suspend(confirm=True);", "ask"), cell("1", "next"))
    waiting = shared_server.wait(execution, "suspended")["waiting"]
    for link in ("resume_url", "cancel_url"):
        page = ReviewPage(waiting[link])
        assert page.answer.status_code == 200
        assert "look" in page.text
        assert httpx.URL(waiting[link]).join(page.form.action) == waiting["review_url"]
    assert is_waiting(shared_server, execution)
    assert "<h1>Cancelled</h1>" in page.send("cancel", by="Ana").text
    assert decision(shared_server, execution)["via"] == "page"


def test_a_link_says_who_decided_before(shared_server: Server) -> None:
    execution, page = suspended(shared_server)
    waiting = shared_server.get(execution)["waiting"]
    page.send("resume", by="Ana <b>")
    told = httpx.post(waiting["cancel_url"])
    assert (told.status_code, told.json()["by"]) == (409, "Ana <b>")
    assert re.fullmatch(r"Already approved by Ana <b>, .* UTC; nothing was changed now\.", told.json()["message"])
    assert "Already approved by Ana &lt;b&gt;, " in httpx.get(waiting["resume_url"], headers=BROWSER).text


def test_what_a_link_decided_is_signed_by_it(shared_server: Server) -> None:
    execution, page = suspended(shared_server)
    httpx.post(shared_server.get(execution)["waiting"]["resume_url"], headers={"X-Forwarded-For": "1.2.3.4"})
    made = decision(shared_server, execution)
    assert (made["via"], made["by"], made["ip"]) == ("link", None, "127.0.0.1")
    assert "Approved by somebody who gave no name, by a link" in ReviewPage(page.url).text


def test_words_of_a_notebook_are_only_words(shared_server: Server) -> None:
    attack = "</div></main><script>alert(1)</script><img src=x onerror=alert(1)>"
    form = {"title": attack, "type": "object", "properties": {attack: {"enum": [attack], "description": attack}}}
    source = f"print({attack!r})\npd.flow.suspend(reason={attack!r} + '\\ud83d', form={form!r});"
    execution = shared_server.run(cell(source, "</title><script>alert(1)</script>"))
    page = ReviewPage(shared_server.wait(execution, "suspended")["waiting"]["review_url"])
    wrong = page.send("resume", by=attack, comment=attack, **{f"data.{attack}": attack})
    for answer in (page.answer, wrong, ReviewPage(page.url).answer, page.send("cancel", by=attack, comment=attack)):
        assert answer.status_code < 500
        assert "<script" not in answer.text
        assert "<img" not in answer.text
        assert answer.text.count("</main>") == 1
