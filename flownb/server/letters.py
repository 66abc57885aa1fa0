"""The messages that a change leads to: the mails that a step wrote, and notifications."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from flownb.core.jsonvalue import dumps
from flownb.core.model import Attempt, Json
from flownb.server.context import Links
from flownb.server.hidden import hidden, revealed
from flownb.server.notices import REVIEW, Notice, Question, awaited, failure_notice, notice, question, to_approvers
from flownb.server.notifier import Notifier
from flownb.server.smtp import Smtp
from flownb.store.outbox import MAIL, Message, Status
from flownb.store.store import Change


@dataclass(frozen=True)
class Letters:
    """Writes messages for the outbox, and sends them; both by what is set up."""

    links: Links
    smtp: Smtp
    notifier: Notifier

    def __call__(self, change: Change, mails: Sequence[Json]) -> list[Message]:
        """All messages that a change leads to, but those of a failure; called in its transaction."""
        told = notice(change, self.links)
        return [*self._mails(change, mails), *self._to_approvers(change), *self._notifications(change, told)]

    def of_failure(self, change: Change, held: int) -> list[Message]:
        """What the services and the owner are told of a failure, before which ``held`` of the same were held back."""
        told = failure_notice(change, held)
        messages = list(self._notifications(change, told))
        if told is not None and self.smtp.host and self.smtp.owner:
            content: dict[str, Json] = {"to": [], "subject": told.subject, "text": told.text, "html": None}
            messages.append(self._message(change, told.of, MAIL, ["failure", change.after.id], content, None))
        return messages

    def warnings(self, step: str, mails: Sequence[Json]) -> list[str]:
        """What the record is to say of mails that cannot be sent."""
        found = dict.fromkeys(lack for mail in mails if (lack := self.smtp.lacks(mail["to"])))
        return [f"{lack}: the mail of step {step!r} is in the outbox" for lack in found]

    def revealed(self, message: Message) -> Message:
        """The message with its links, for those who may use them."""
        return revealed(message, self.links.key)

    def send(self, message: Message) -> str | None:
        """Hand a message over; returns which of several addresses were refused. Blocks. Raises ``NotSent``."""
        if message.channel == MAIL:
            return self.smtp.send(self.revealed(message))
        self.notifier.send(self.revealed(message))
        return None

    def _mails(self, change: Change, mails: Sequence[Json]) -> Iterator[Message]:
        if not mails:
            return
        assert change.before is not None
        assert change.before.step is not None
        of = change.before.step.attempt
        pause = awaited(change.after)
        asked = question(change.after, pause, self.links) if pause is not None else None
        for number, mail in enumerate(mails):
            content = _asking(mail, asked) if asked else mail
            lacks = self.smtp.lacks(mail["to"])
            yield self._message(change, of, MAIL, ["mail", change.after.id, *of, number], content, lacks)

    def _to_approvers(self, change: Change) -> Iterator[Message]:
        """Where no mail server is set up, the workflow hands the links out."""
        for person, told in to_approvers(change, self.links) if self.smtp.host else ():
            content = {"to": [person], "subject": told.subject, "text": told.text, "html": None}
            yield self._message(change, told.of, MAIL, ["approver", change.seq, person], content, None)

    def _notifications(self, change: Change, told: Notice | None) -> Iterator[Message]:
        if told is None:
            return
        for channel, kind in self.notifier.kinds.items():
            content = {"to": [kind], "subject": told.subject, "text": told.text, "html": None}
            key = ["notification", change.seq, channel]
            yield self._message(change, told.of, channel, key, content, self.notifier.lacking)

    def _message(
        self, change: Change, of: Attempt, channel: str, key: list[Json], content: dict[str, Json], lacks: str | None
    ) -> Message:
        message = Message(
            key=hashlib.sha256(dumps(key).encode()).hexdigest()[:32],
            execution=change.after.id,
            channel=channel,
            content={**content, "of": list(of)},
            created_at=change.at,
            status=Status.KEPT if lacks else Status.WAITING,
            next_at=None if lacks else change.at,
            error=lacks,
        )
        return hidden(message, self.links.key)


def _asking(mail: dict[str, Json], asked: Question) -> dict[str, Json]:
    """The mail of a step that waits for somebody: it says what happens otherwise, and where to decide."""
    text, html = f"{mail['text'].rstrip()}\n\n--------\n{asked}\n", mail["html"]
    if html is not None:
        link = f'<a href="{escape(asked.review_url)}">{REVIEW}</a>'
        html += f"<hr><p>{escape(asked.otherwise)}<br>{link}</p>"
    return {**mail, "text": text, "html": html}
