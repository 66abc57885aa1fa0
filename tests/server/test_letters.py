"""Which messages a change leads to, and what they say to whom."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flownb.core.events import Admitted, StepFailed
from flownb.core.links import tokens
from flownb.core.model import Action, Error, Policy
from flownb.server import notifier
from flownb.server.context import Links
from flownb.server.hidden import masked
from flownb.server.letters import Letters
from flownb.server.notifier import Notifier
from flownb.server.sending import NotSent
from flownb.server.smtp import Smtp
from flownb.store.keys import Key
from flownb.store.outbox import MAIL, Message, Status
from flownb.store.store import Change
from tests.core.play import Play, delay, rerun, suspend

KEY = Key("first", b"k" * 32)
ROOT = "https://flows.example.org/flownb/"
SMTP = Smtp(host="mail.example.org", owner="owner@example.org")
SLACK = "slack://a/b/s3cret"


def letters(smtp: Smtp = SMTP, *notify: str) -> Letters:
    return Letters(Links(KEY, ROOT), smtp, Notifier(notify, KEY))


def mail(subject: str = "Hi", text: str = "", html: str | None = None, to: str | None = None) -> dict[str, Any]:
    return {"subject": subject, "text": text, "html": html, "to": [to] if to else []}


def last(play: Play) -> Change:
    """The latest thing that happened, as the store tells it."""
    move = play.journal[-1]
    return Change(len(play.journal), type(move.event).__name__, move.now, move.before, move.after)


def finished(*pauses: Any) -> Change:
    play = Play(Policy(), Policy())
    play.finish(*pauses)
    return last(play)


def secrets(change: Change) -> dict[Action, str]:
    assert change.before
    assert change.before.step
    return tokens(KEY.secret, change.after.id, change.before.step.attempt)


def written(change: Change, *mails: Any, by: Letters | None = None) -> list[Message]:
    return (by or letters())(change, mails)


def test_only_a_suspend_that_waits_adds_to_a_mail() -> None:
    for change in (finished(), finished(rerun()), finished(delay())):
        (message,) = written(change, mail(text="As it is.\n"))
        assert message.content["text"] == "As it is.\n"
    (message,) = written(finished(suspend()), mail(text="Look.", html="<p>Look.</p>"))
    shown = letters().revealed(message).content
    review = f"{ROOT}review/{secrets(finished(suspend()))[Action.REVIEW]}"
    said = "The workflow continues by itself on Fri 15 Jan 2027, 08:00 UTC unless cancelled."
    assert shown["text"] == f"Look.\n\n--------\n{said}\nReview, approve or cancel: {review}\n"
    assert shown["html"] == f'<p>Look.</p><hr><p>{said}<br><a href="{review}">Review, approve or cancel</a></p>'


def test_an_answer_that_came_early_leaves_nothing_to_ask() -> None:
    play = Play(Policy(), Policy())
    attempt = play.begin()
    play.ask(Action.RESUME, attempt)
    play.finish(suspend())
    (message,) = written(last(play), mail(text="Look."), by=letters(SMTP, SLACK))
    assert message.content["text"] == "Look."


def test_links_are_hidden_wherever_they_stand() -> None:
    change = finished(suspend())
    found = secrets(change)
    everywhere = " ".join(found.values())
    (message,) = written(change, mail(everywhere, everywhere, everywhere))
    assert not [secret for secret in found.values() if secret in str(message.content)]
    assert letters().revealed(message).content["subject"] == everywhere
    assert masked(message).content["subject"] == "… … …"


def test_a_message_is_known_by_what_it_is_about() -> None:
    change = finished(suspend())
    first, second = written(change, mail(), mail())
    assert first.key != second.key
    later = replace(change, at=change.at + 1, seq=change.seq + 7)
    assert [one.key for one in written(later, mail(), mail())] == [first.key, second.key]


def test_what_cannot_be_sent_is_kept_and_said() -> None:
    for smtp, why in (
        (Smtp(owner="owner@example.org"), "no mail server is set up"),
        (Smtp(host="mail.example.org"), "the mail names no address, and no owner is set up"),
    ):
        (kept,) = written(finished(), mail(), by=letters(smtp))
        assert (kept.status, kept.next_at, kept.error) == (Status.KEPT, None, why)
        assert letters(smtp).warnings("ask", [mail(), mail()]) == [f"{why}: the mail of step 'ask' is in the outbox"]
    (waiting,) = written(finished(), mail(to="ada@example.org"), by=letters(Smtp(host="mail.example.org")))
    assert (waiting.status, waiting.error) == (Status.WAITING, None)
    assert letters().warnings("ask", [mail()]) == []


def failed(error: Error) -> Change:
    play = Play(Policy())
    play.begin()
    play.happen(StepFailed(error))
    return last(play)


def test_each_service_is_told_of_a_failure_and_its_url_of_nobody() -> None:
    change = failed(Error("ValueError", "\nsecond line\nthird line"))
    by = letters(Smtp(), SLACK, "ntfy://topic")
    assert by(change, []) == []
    messages = by.of_failure(change, 0)
    assert [one.content["to"] for one in messages] == [["slack"], ["ntfy"]]
    assert len({one.key for one in messages}) == len({one.channel for one in messages}) == 2
    assert "s3cret" not in repr(messages)
    assert messages[0].content["text"] == "ValueError: second line\nExecution execution"


def test_the_owner_is_told_of_a_failure_by_mail_where_there_is_a_mail_server() -> None:
    change = failed(Error("KeyboardInterrupt", ""))
    (mailed,) = letters().of_failure(change, 1)
    assert (mailed.channel, mailed.content["to"], mailed.status) == (MAIL, [], Status.WAITING)
    assert mailed.content["text"].splitlines() == [
        "KeyboardInterrupt",
        "Execution execution",
        "Since the last message it has failed like this 1 time more.",
    ]
    for lacking in (Smtp(owner="owner@example.org"), Smtp(host="mail.example.org")):
        assert letters(lacking).of_failure(change, 0) == []


def test_without_apprise_notifications_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier, "find_spec", lambda name: None)
    by = letters(SMTP, SLACK)
    (kept,) = written(finished(suspend()), by=by)
    assert (kept.status, kept.next_at, kept.error) == (Status.KEPT, None, notifier.MISSING)
    with pytest.raises(NotSent, match="flownb\\[notify\\]") as raised:
        by.notifier.send(kept)
    assert raised.value.status is Status.KEPT


def test_nothing_is_told_of_what_concerns_nobody() -> None:
    play = Play(Policy(), Policy())
    play.happen(Admitted())
    assert written(last(play), by=letters(SMTP, SLACK)) == []
    for change in (finished(), finished(rerun()), finished(delay())):
        assert written(change, by=letters(SMTP, SLACK)) == []
    assert written(finished(suspend())) == []
