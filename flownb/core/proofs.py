"""How the sender of an event proves that it may send it: by a token, or by a signature of the body.

Signatures are HMAC-SHA256 over the bytes of the body as they came, with a secret that both sides know. Everything is
compared in constant time.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flownb.core.durations import MINUTE, SECOND
from flownb.core.settings import Auth

TOLERANCE = 5 * MINUTE
"""How far the time in a signature may be from ours, in ms, either way: what is older may be somebody's recording."""

HEADER = "X-Signature"
"""Where a plain signature stands unless the settings name another header."""

Headers = Mapping[str, str]
"""By name, in any case; decoded as Latin-1, as HTTP has them."""


@dataclass(frozen=True)
class _Sent:
    """What a proof is looked for in; ``now`` in ms since 1970."""

    headers: Headers
    body: bytes
    now: int

    def header(self, name: str) -> str:
        return self.headers.get(name, "").strip()


def proven(auth: Auth, secret: str, headers: Headers, body: bytes, now: int) -> bool:
    """Whether the sender knows the secret, by the kind of proof that the workflow's settings ask for."""
    return _CHECKS[auth.kind](auth, secret.encode(), _Sent(headers, body, now))


def proof_headers(auth: Auth) -> tuple[str, ...]:
    """The headers that hold the proof: nobody's business but ours."""
    return (auth.header or HEADER,) if auth.kind == "hmac" else _HEADERS[auth.kind]


def _bearer(auth: Auth, secret: bytes, sent: _Sent) -> bool:
    scheme, _, token = sent.header("Authorization").partition(" ")
    return scheme.lower() == "bearer" and _same(token.strip(), secret)


def _plain(auth: Auth, secret: bytes, sent: _Sent) -> bool:
    said = sent.header(auth.header or HEADER).lower().removeprefix("sha256=")
    return _same(said, _signature(secret, sent.body))


def _github(auth: Auth, secret: bytes, sent: _Sent) -> bool:
    return _same(sent.header("X-Hub-Signature-256"), b"sha256=" + _signature(secret, sent.body))


def _stripe(auth: Auth, secret: bytes, sent: _Sent) -> bool:
    """``t=TIME,v1=SIGNATURE``; while a secret is being changed there is a ``v1`` for each."""
    pairs = [part.strip().partition("=") for part in sent.header("Stripe-Signature").split(",")]
    at = next((value for name, _, value in pairs if name == "t"), "")
    expected = _signature(secret, at.encode("latin-1", "replace") + b"." + sent.body)
    signed = [_same(value, expected) for name, _, value in pairs if name == "v1"]
    return any(signed) and _is_recent(at, sent.now)


def _slack(auth: Auth, secret: bytes, sent: _Sent) -> bool:
    at = sent.header("X-Slack-Request-Timestamp")
    expected = _signature(secret, b"v0:" + at.encode("latin-1", "replace") + b":" + sent.body)
    return _same(sent.header("X-Slack-Signature"), b"v0=" + expected) and _is_recent(at, sent.now)


def _signature(secret: bytes, signed: bytes) -> bytes:
    return hmac.digest(secret, signed, "sha256").hex().encode()


def _same(said: str, expected: bytes) -> bool:
    return hmac.compare_digest(said.encode("latin-1", "replace"), expected)


def _is_recent(at: str, now: int) -> bool:
    """Whether a time in seconds since 1970 is near enough to ours."""
    return at.isascii() and at.isdigit() and len(at) < 16 and abs(int(at) * SECOND - now) <= TOLERANCE


_CHECKS: dict[str, Callable[[Auth, bytes, _Sent], bool]] = {
    "bearer": _bearer,
    "hmac": _plain,
    "github": _github,
    "stripe": _stripe,
    "slack": _slack,
}
_HEADERS = {
    "bearer": ("Authorization",),
    "github": ("X-Hub-Signature-256", "X-Hub-Signature"),
    "stripe": ("Stripe-Signature",),
    "slack": ("X-Slack-Signature",),
}
