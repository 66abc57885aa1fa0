"""Proofs of a sender: each kind by an example that its service publishes, and what is not one."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from flownb.core.durations import MINUTE, SECOND
from flownb.core.proofs import proof_headers, proven
from flownb.core.settings import Auth

NOW = 1_531_420_618 * SECOND

GITHUB_SECRET, GITHUB_BODY = "It's a Secret to Everybody", b"Hello, World!"
GITHUB = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

SLACK_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SLACK = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


def signed(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


STRIPE = signed("whsec_x", b"1531420618.{}")


@pytest.mark.parametrize(
    ("kind", "secret", "headers", "body"),
    [
        ("bearer", "s3cret", {"Authorization": "Bearer s3cret"}, b""),
        ("bearer", "s3cret", {"Authorization": "bearer  s3cret "}, b""),
        ("bearer", "schlüssel", {"Authorization": "Bearer " + "schlüssel".encode().decode("latin-1")}, b""),
        ("hmac", "s3cret", {"X-Signature": signed("s3cret", b"body")}, b"body"),
        ("hmac", "s3cret", {"X-Signature": f"SHA256={signed('s3cret', b'body').upper()}"}, b"body"),
        ("github", GITHUB_SECRET, {"X-Hub-Signature-256": GITHUB}, GITHUB_BODY),
        ("stripe", "whsec_x", {"Stripe-Signature": f"t=1531420618,v1={STRIPE},v0=old"}, b"{}"),
        ("stripe", "whsec_x", {"Stripe-Signature": f"t=1531420618, v1={'0' * 64}, v1={STRIPE}"}, b"{}"),
        ("slack", SLACK_SECRET, {"X-Slack-Signature": SLACK, "X-Slack-Request-Timestamp": "1531420618"}, SLACK_BODY),
    ],
)
def test_who_knows_the_secret_is_let_in_and_nobody_else(
    kind: str, secret: str, headers: dict[str, str], body: bytes
) -> None:
    auth = Auth(kind, "SECRET")
    assert proven(auth, secret, headers, body, NOW)
    assert not proven(auth, secret + "x", headers, body, NOW)
    assert not proven(auth, secret, {}, body, NOW)
    assert not proven(auth, secret, dict.fromkeys(headers, "ü"), body, NOW)
    assert proven(auth, secret, headers, body + b"x", NOW) is (kind == "bearer")


@pytest.mark.parametrize(
    ("kind", "secret", "headers", "body"),
    [
        ("stripe", "whsec_x", {"Stripe-Signature": f"t=1531420618,v1={STRIPE}"}, b"{}"),
        ("slack", SLACK_SECRET, {"X-Slack-Signature": SLACK, "X-Slack-Request-Timestamp": "1531420618"}, SLACK_BODY),
    ],
)
def test_a_signature_with_a_time_holds_for_five_minutes(
    kind: str, secret: str, headers: dict[str, str], body: bytes
) -> None:
    for late, holds in ((5 * MINUTE, True), (5 * MINUTE + 1, False), (-5 * MINUTE, True), (-5 * MINUTE - 1, False)):
        assert proven(Auth(kind, "SECRET"), secret, headers, body, NOW + late) is holds


def test_a_time_that_is_none_is_no_proof_however_it_is_signed() -> None:
    for at in ("", "soon", "١", "-1", "9" * 40):
        written = signed("s", f"{at}.".encode())
        assert not proven(Auth("stripe", "S"), "s", {"Stripe-Signature": f"t={at},v1={written}"}, b"", NOW)


def test_a_plain_signature_stands_in_the_header_of_the_settings() -> None:
    auth = Auth("hmac", "SECRET", "X-Shop-Hmac")
    assert proof_headers(auth) == ("X-Shop-Hmac",)
    assert proven(auth, "s", {"X-Shop-Hmac": signed("s", b"")}, b"", NOW)
    assert not proven(auth, "s", {"X-Signature": signed("s", b"")}, b"", NOW)
