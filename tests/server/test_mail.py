"""Mail from steps, from a real server process to a real mail server."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.mailbox import LOGIN, OWNER, Mailbox, body
from tests.support.notebooks import cell
from tests.support.server import Server

LINK = re.compile(r"http://\S+/flownb/(resume|cancel|review)/([\w-]{43})")


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    mailbox = Mailbox().start()
    yield mailbox
    mailbox.stop()


@pytest.fixture
def server(make_server: Callable[..., Server], mailbox: Mailbox) -> Server:
    server = make_server(*mailbox.settings, "--FlowNB.pool_size=0", moving_clock=True)
    server.environment |= mailbox.environment
    return server.start()


def outbox(server: Server, **query: Any) -> list[dict[str, Any]]:
    answer = server.http.get("/outbox", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["messages"]
    return found


def until_outbox(server: Server, *statuses: str) -> list[dict[str, Any]]:
    """The messages, newest first, once they have these statuses."""
    server.until(lambda: [one["status"] for one in outbox(server)] == list(statuses))
    return outbox(server)


def test_a_mail_of_a_step_that_waits_has_the_review_page_and_what_happens_otherwise(
    server: Server, mailbox: Mailbox
) -> None:
    ask = """
links = pd.flow.suspend(on_timeout="cancel", reason="Publish?")
pd.send.email(
    subject="Größe 🏠 " + "long " * 40, text="Yes: " + links["resume_url"] + "\\nlone \\ud800", html="<p>Look</p>",
    to=["Müller, Jörg <joerg@example.org>", "ada@example.org"],
)
"""
    execution = server.run(cell(ask.strip(), "ask"), "'done'")
    waiting = server.wait(execution, "suspended")["waiting"]
    (mail,) = mailbox.wait(1)
    assert mail["Subject"] == "Größe 🏠 " + "long " * 40
    assert [(one.display_name, one.addr_spec) for one in mail["To"].addresses] == [
        ("Müller, Jörg", "joerg@example.org"),
        ("", "ada@example.org"),
    ]
    assert mail["From"] == OWNER
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mailbox.envelopes[0].rcpt_tos == ["joerg@example.org", "ada@example.org"]
    text = body(mail)
    assert "lone ?" in text
    assert "The workflow is cancelled on" in text
    assert "unless approved." in text
    assert f"Review, approve or cancel: {waiting['review_url']}" in text
    assert waiting["review_url"] in body(mail, "html")
    (found,) = until_outbox(server, "sent")
    assert found["text"] == text.replace("\r\n", "\n").replace("lone ?", "lone \ud800")
    approve = LINK.search(text)
    assert approve
    assert httpx.get(approve[0]).json()["status"] == "resumed"
    server.wait(execution, "succeeded")


def test_no_secret_is_in_the_database_or_in_the_log(server: Server, mailbox: Mailbox) -> None:
    ask = "links = pd.flow.suspend(); pd.send.email(subject=links['cancel_url'], text=links.review_url, html='<p>')"
    execution = server.run(cell(ask, "ask"))
    server.wait(execution, "suspended")
    (mail,) = mailbox.wait(1)
    until_outbox(server, "sent")
    secrets = {found[2] for found in LINK.finditer(f"{mail['Subject']}\n{body(mail)}")}
    assert len(secrets) == 2
    server.stop()
    for file in (server.log, *(server.root / ".flownb").glob("flownb.db*")):
        content = file.read_bytes()
        assert not [secret for secret in (*secrets, LOGIN[1]) if secret.encode() in content]


def test_a_mail_of_a_step_that_fails_leaves_too_and_has_no_footer(server: Server, mailbox: Mailbox) -> None:
    execution = server.run("pd.flow.suspend(); pd.send.email(subject='begun', text='It begins.')\n1 / 0")
    server.wait(execution, "failed")
    (mail,) = mailbox.wait(1)
    assert mail["To"] == OWNER
    assert body(mail).strip() == "It begins."


def test_a_mail_survives_the_death_of_its_kernel(server: Server, mailbox: Mailbox) -> None:
    code = """
import os, sys, time
pd.send.email(subject="begun", text="It begins.")
print("as" + "ked")
sys.stdout.flush()
while not os.path.exists("die"):
    time.sleep(0.01)
os.kill(os.getpid(), 9)
"""
    execution = server.run(code.strip())
    server.until(lambda: "asked" in server.http.get(f"/executions/{execution}/notebook").text)
    (server.root / "die").touch()
    assert server.wait(execution, "failed")["reason"] == "KernelDied"
    assert mailbox.wait(1)[0]["Subject"] == "begun"


def test_a_step_that_is_tried_again_sends_the_mail_of_each_attempt(server: Server, mailbox: Mailbox) -> None:
    code = "#| retry: {max: 1, first: 10ms}\npd.send.email(subject='try', text='')\n1 / 0"
    server.wait(server.run(code), "failed")
    first, second = mailbox.wait(2)
    assert first["Message-ID"] != second["Message-ID"]


def test_a_mail_that_was_not_sent_when_the_server_died_is_sent_after_its_restart(
    make_server: Callable[..., Server], mailbox: Mailbox
) -> None:
    server = make_server(*mailbox.settings, "--FlowNB.pool_size=0")
    server.environment |= mailbox.environment | {"FLOWNB_FAULT": "message.send"}
    server.start()
    execution = server.run("pd.send.email(subject='once', text='')")
    server.until(lambda: server.died)
    assert not mailbox.mails
    del server.environment["FLOWNB_FAULT"]
    server.start()
    server.wait(execution, "succeeded")
    assert [mail["Subject"] for mail in mailbox.wait(1)] == ["once"]
    until_outbox(server, "sent")


def test_a_mail_that_may_have_been_sent_comes_again_as_the_same(
    make_server: Callable[..., Server], mailbox: Mailbox
) -> None:
    server = make_server(*mailbox.settings, "--FlowNB.pool_size=0")
    server.environment |= mailbox.environment | {"FLOWNB_FAULT": "message.sent"}
    server.start()
    server.run("pd.send.email(subject='twice', text='')")
    server.until(lambda: server.died)
    del server.environment["FLOWNB_FAULT"]
    server.start()
    first, second = mailbox.wait(2)
    assert (first["Message-ID"], first["Date"]) == (second["Message-ID"], second["Date"])


def test_a_mail_server_that_is_down_gets_the_mail_when_it_is_back(server: Server, mailbox: Mailbox) -> None:
    mailbox.stop()
    server.wait(server.run("pd.send.email(subject='late', text='')"), "succeeded")
    found = server.until(lambda: [one for one in outbox(server) if one["tries"]])
    assert (found[0]["status"], found[0]["tries"]) == ("waiting", 1)
    assert "refused" in found[0]["error"]
    mailbox.start()
    server.advance(seconds=31)
    assert mailbox.wait(1)[0]["Subject"] == "late"
    (found,) = until_outbox(server, "sent")
    assert (found["tries"], found["error"]) == (2, None)


def test_a_mail_is_given_up_in_the_end_and_may_be_tried_again(server: Server, mailbox: Mailbox) -> None:
    mailbox.stop()
    server.wait(server.run("pd.send.email(subject='lost', text='')"), "succeeded")
    tries = 0
    while outbox(server)[0]["status"] == "waiting":
        tries = server.until(lambda: (found := outbox(server)[0]["tries"]) > tries and found)  # noqa: B023 - at once
        server.advance(hours=1)
    assert tries == 30
    (found,) = until_outbox(server, "failed")
    mailbox.start()
    answer = server.http.post(f"/outbox/{found['key']}/send")
    assert (answer.status_code, answer.json()) == (202, {"key": found["key"], "status": "waiting"})
    mailbox.wait(1)
    until_outbox(server, "sent")
    assert server.http.post(f"/outbox/{found['key']}/send").status_code == 409
    assert server.http.post("/outbox/nothing/send").status_code == 404


def test_an_outbox_that_cannot_be_read_is_tried_again(server: Server, mailbox: Mailbox) -> None:
    def alter(status: str) -> None:
        with closing(sqlite3.connect(server.database)) as database, database:
            database.execute("UPDATE outbox SET status = ?", (status,))

    mailbox.stop()
    server.wait(server.run("pd.send.email(subject='late', text='')"), "succeeded")
    server.until(lambda: outbox(server)[0]["tries"])
    alter("damaged")
    server.advance(seconds=31)
    server.until(lambda: "'damaged' is not a valid Status" in server.log.read_text())
    alter("waiting")
    mailbox.start()
    server.advance(seconds=61)
    assert mailbox.wait(1)[0]["Subject"] == "late"


def test_what_the_mail_server_refuses_is_said(server: Server, mailbox: Mailbox) -> None:
    mailbox.refuses = lambda address: "550 Nobody here" if address.startswith("no") else None
    send = "pd.send.email(subject='{}', text='', to={})"
    server.wait(server.run(send.format("all", ["nobody@example.org", "none@example.org"])), "succeeded")
    (found,) = until_outbox(server, "failed")
    assert found["error"] == "refused for nobody@example.org: 550 Nobody here; none@example.org: 550 Nobody here"
    server.wait(server.run(send.format("some", ["nobody@example.org", "ada@example.org"])), "succeeded")
    assert mailbox.wait(1)[0]["Subject"] == "some"
    found, _ = until_outbox(server, "sent", "failed")
    assert found["error"] == "refused for nobody@example.org: 550 Nobody here"


def test_a_wrong_password_is_said_without_it_and_the_mail_waits_for_the_right_one(
    make_server: Callable[..., Server], mailbox: Mailbox
) -> None:
    server = make_server(*mailbox.settings, "--FlowNB.pool_size=0")
    server.environment["FLOWNB_SMTP_PASSWORD"] = "another-s3cret"
    server.start()
    execution = server.run("pd.send.email(subject='a', text='')\n__import__('os').environ.get('FLOWNB_SMTP_PASSWORD')")
    found = server.wait(execution, "succeeded")
    assert "$return_value" not in found["steps"][0]["exports"], "a kernel has the password"
    (waits,) = server.until(lambda: [one for one in outbox(server) if one["error"]])
    assert (waits["status"], waits["error"][:4]) == ("waiting", "535 ")
    assert "another-s3cret" not in waits["error"] + server.log.read_text()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_goes_over_tls(make_server: Callable[..., Server], tmp_path: Path, security: str) -> None:
    certificate = tmp_path / "mail.pem"
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    command = [*make.split(), "-keyout", str(certificate), "-out", str(tmp_path / "alone.pem")]
    subprocess.run(command, check=True, capture_output=True)
    certificate.write_text(certificate.read_text() + (tmp_path / "alone.pem").read_text())
    mailbox = Mailbox(security, certificate).start()
    try:
        server = make_server(*mailbox.settings, "--FlowNB.pool_size=0")
        server.environment |= mailbox.environment
        server.start()
        server.wait(server.run("pd.send.email(subject='safe', text='')"), "succeeded")
        assert mailbox.wait(1)[0]["Subject"] == "safe"
    finally:
        mailbox.stop()


def test_without_a_mail_server_a_mail_stays_in_the_outbox_and_the_execution_says_so(shared_server: Server) -> None:
    links = "links = pd.flow.suspend()\n"
    execution = shared_server.run(cell(f"{links}pd.send.email(subject='a', text=links['resume_url'])", "ask"))
    found = shared_server.wait(execution, "suspended")
    assert found["warnings"] == ["no mail server is set up: the mail of step 'ask' is in the outbox"]
    (kept,) = [one for one in outbox(shared_server) if one["execution"] == execution]
    assert (kept["status"], kept["channel"], kept["to"]) == ("kept", "mail", [])
    assert (kept["error"], kept["workflow"]) == ("no mail server is set up", found["workflow"])
    assert kept["text"].startswith(found["waiting"]["resume_url"] + "\n")
    again = shared_server.http.post(f"/outbox/{kept['key']}/send")
    assert again.status_code == 202
    tried = shared_server.until(
        lambda: next((one for one in outbox(shared_server) if one["key"] == kept["key"] and one["tries"]), None)
    )
    assert tried["status"] == "kept"


def test_the_outbox_comes_in_pages_and_goes_with_its_execution(shared_server: Server) -> None:
    code = "for number in range(5):\n    pd.send.email(subject=str(number), text='', to='a@example.org')"
    execution = shared_server.run(code)
    shared_server.wait(execution, "succeeded")
    first = shared_server.http.get("/outbox", params={"limit": 3}).json()
    second = shared_server.http.get("/outbox", params={"limit": 2, "before": first["next"]}).json()
    subjects = [one["subject"] for one in first["messages"] + second["messages"]]
    assert subjects == ["4", "3", "2", "1", "0"]
    assert shared_server.http.get("/outbox", params={"limit": 0}).status_code == 400
    assert shared_server.http.delete(f"/executions/{execution}").status_code == 204
    assert not [one for one in outbox(shared_server) if one["execution"] == execution]


def test_a_text_cannot_smuggle_in_the_place_of_a_link(shared_server: Server) -> None:
    execution = shared_server.run("pd.flow.suspend(); pd.send.email(subject='a', text='\U0010fff0resume\U0010fff1')")
    shared_server.wait(execution, "suspended")
    (kept,) = [one for one in outbox(shared_server) if one["execution"] == execution]
    assert kept["text"].startswith("resume\n")


def test_each_approver_with_an_address_gets_a_link_of_their_own_and_reminders_until_they_answer(
    server: Server, mailbox: Mailbox
) -> None:
    more = "remind_every=3_600_000, escalate_after=5_400_000, escalate_to=['boss@example.org']"
    people = ["ada@example.org", "bob@example.org"]
    execution = server.run(cell(f"pd.flow.suspend(approvals=2, approvers={people!r}, {more});", "ask"), "1")
    until_outbox(server, "sent", "sent")
    links = {mail["To"]: re.search(r"http\S+/review/\S+", body(mail))[0] for mail in mailbox.mails}  # type: ignore[index]
    assert len({*links.values()}) == 2
    assert httpx.post(links["ada@example.org"].replace("/review/", "/resume/")).status_code == 404
    page = httpx.get(links["ada@example.org"]).text
    given = dict(re.findall(r'name="(nonce|shown)" value="([^"]*)"', page))
    httpx.post(links["ada@example.org"], data={**given, "act": "resume"})
    assert server.get(execution)["waiting"]["approvals"]["silent"] == ["bob@example.org"]
    server.advance(hours=1)
    until_outbox(server, *3 * ["sent"])
    assert (mailbox.mails[-1]["To"], mailbox.mails[-1]["Subject"][:9]) == ("bob@example.org", "Reminder:")
    server.advance(minutes=30)
    until_outbox(server, *4 * ["sent"])
    assert (mailbox.mails[-1]["To"], mailbox.mails[-1]["Subject"][:11]) == ("boss@example.org", "Escalation:")
    secrets = [link.rpartition("/")[2] for link in links.values()]
    assert not any(
        secret in (server.root / ".flownb" / "flownb.db").read_bytes().decode("latin-1") for secret in secrets
    )
