"""Mail by SMTP."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from flownb.core.mail import address
from flownb.server.sending import NotSent
from flownb.store.outbox import Message, Status

SECONDS = 10.0
"""A mail server that says nothing for so long is given up for now."""

PORTS = {"starttls": 587, "tls": 465, "none": 25}
"""The usual port of each kind of security."""


@dataclass(frozen=True)
class Smtp:
    """A mail server, and whom mail comes from; without a ``host`` none is sent.

    ``owner`` gets the mails that name nobody.
    """

    host: str = ""
    port: int = 0
    security: str = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    sender: str = ""
    owner: str = ""

    def lacks(self, to: list[str]) -> str | None:
        """Why a mail to these addresses cannot be sent, if it cannot."""
        if not self.host:
            return "no mail server is set up"
        return None if to or self.owner else "the mail names no address, and no owner is set up"

    def send(self, message: Message) -> str | None:
        """Hand a mail to the mail server; returns which of several addresses it refused, if any.

        Blocks for seconds. Raises ``NotSent``.
        """
        if lack := self.lacks(message.content["to"]):
            raise NotSent(lack, Status.KEPT)
        try:
            refused = self._deliver(self._written(message))
        except smtplib.SMTPRecipientsRefused as error:
            raise NotSent(
                _refused(error.recipients), _outcome(*(code for code, _ in error.recipients.values()))
            ) from None
        except smtplib.SMTPResponseException as error:
            said = error.smtp_error if isinstance(error.smtp_error, str) else error.smtp_error.decode(errors="replace")
            # A login that is refused is for us to put right, and the mail is to go out when it is.
            login = isinstance(error, smtplib.SMTPAuthenticationError)
            outcome = Status.WAITING if login else _outcome(error.smtp_code)
            raise NotSent(self._safe(f"{error.smtp_code} {said}"), outcome) from None
        except smtplib.SMTPNotSupportedError as error:
            raise NotSent(str(error), Status.FAILED) from None
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent(self._safe(str(error) or type(error).__name__)) from None
        except (ValueError, LookupError) as error:
            raise NotSent(f"this is no mail: {error}", Status.FAILED) from None
        return _refused(refused) if refused else None

    def _deliver(self, mail: EmailMessage) -> dict[str, tuple[int, bytes]]:
        port = self.port or PORTS[self.security]
        context = ssl.create_default_context()
        if self.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, port, timeout=SECONDS, context=context)
        else:
            server = smtplib.SMTP(self.host, port, timeout=SECONDS)
        try:
            if self.security == "starttls":
                server.starttls(context=context)
            if self.user:
                server.login(self.user, self.password)
            return server.send_message(mail)
        finally:
            with suppress(OSError, smtplib.SMTPException):  # what was taken was taken, however it says goodbye
                server.quit()

    def _written(self, message: Message) -> EmailMessage:
        content = message.content
        sender = _address(self.sender or self.owner or "flownb@localhost")
        mail = EmailMessage(policy=SMTP)
        mail["Subject"] = _clean(content["subject"])
        mail["From"] = sender
        mail["To"] = tuple(_address(one) for one in content["to"] or [self.owner])
        mail["Date"] = datetime.fromtimestamp(message.created_at / 1000, UTC)
        # The same each time, so that a mail which comes twice is seen to be one.
        mail["Message-ID"] = f"<{message.key}.flownb@{sender.domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(_clean(content["text"]))
        if content["html"] is not None:
            mail.add_alternative(_clean(content["html"]), subtype="html")
        return mail

    def _safe(self, said: str) -> str:
        return said.replace(self.password, "…") if self.password else said


def _address(written: str) -> Address:
    name, plain = address(written, "address")
    return Address(_clean(name), addr_spec=plain)


def _clean(text: str) -> str:
    """Without lone surrogates, which no encoding has."""
    return text.encode(errors="replace").decode()


def _refused(recipients: dict[str, tuple[int, bytes]]) -> str:
    said = (f"{one}: {code} {text.decode(errors='replace')}" for one, (code, text) in recipients.items())
    return f"refused for {'; '.join(said)}"


def _outcome(*codes: int) -> Status:
    """A mail server that says 5xx means it."""
    return Status.FAILED if all(code >= 500 for code in codes) else Status.WAITING
