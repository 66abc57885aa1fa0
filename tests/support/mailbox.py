"""A mail server on loopback, which keeps what it is given."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope

from flownb.testing.server import free_port

LOGIN = ("flownb", "a-passw0rd")
OWNER = "owner@example.org"


class Mailbox:
    """Takes mail of whoever logs in; ``start`` again after ``stop`` is the same server, back at work.

    With a ``certificate``, a file that holds its key too, it speaks TLS: at once, or once it is asked to (STARTTLS).
    """

    def __init__(self, security: str = "none", certificate: Path | None = None) -> None:
        self.port = free_port()
        self._security = security
        self._certificate = certificate
        self.mails: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.refuses: Callable[[str], str | None] = lambda address: None
        self._some = threading.Condition()
        self._sessions: list[SMTP] = []
        self._controller: Controller | None = None

    @property
    def settings(self) -> list[str]:
        """What a server is to be started with for its mail to come here; the password is in the environment."""
        user, _ = LOGIN
        return [
            "--FlowNB.smtp_host=127.0.0.1",
            f"--FlowNB.smtp_port={self.port}",
            f"--FlowNB.smtp_security={self._security}",
            f"--FlowNB.smtp_user={user}",
            f"--FlowNB.owner={OWNER}",
        ]

    @property
    def environment(self) -> dict[str, str]:
        trusted = {"SSL_CERT_FILE": str(self._certificate)} if self._certificate else {}
        return {"FLOWNB_SMTP_PASSWORD": LOGIN[1], **trusted}

    def start(self) -> Mailbox:
        tls = None
        if self._certificate is not None:
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain(self._certificate)
        self._controller = Controller(
            self,
            "127.0.0.1",
            self.port,
            ssl_context=tls if self._security == "tls" else None,
            tls_context=tls if self._security == "starttls" else None,
            authenticator=self._login,
            auth_require_tls=self._security == "starttls",
        )
        self._controller.start()
        return self

    def stop(self) -> None:
        if self._controller is not None:
            for server in self._sessions:
                if isinstance(server.transport, asyncio.WriteTransport):  # of a client that has not said goodbye
                    self._controller.loop.call_soon_threadsafe(server.transport.abort)
            self._sessions.clear()
            self._controller.stop()
            self._controller = None

    def wait(self, count: int, patience: float = 60.0) -> list[EmailMessage]:
        """All mails, once there are so many."""
        with self._some:
            assert self._some.wait_for(lambda: len(self.mails) >= count, patience), f"{len(self.mails)} mails came"
            return list(self.mails)

    def _login(self, server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self._sessions.append(server)
        return AuthResult(success=(data.login.decode(), data.password.decode()) == LOGIN, handled=False)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]) -> str:
        if (refusal := self.refuses(address)) is not None:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        with self._some:
            self.envelopes.append(envelope)
            self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
            self._some.notify_all()
        return "250 Taken"


def body(mail: EmailMessage, kind: str = "plain") -> str:
    """The text of a mail, or its HTML."""
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())
