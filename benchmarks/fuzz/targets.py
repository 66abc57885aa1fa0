"""One function for each parser of public input: it takes bytes, and raises where the parser has a fault."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress

from tornado.httputil import HTTPHeaders, HTTPInputError, HTTPServerRequest, RequestStartLine

from flownb.core.fields import fields, parse
from flownb.core.forms import complaints
from flownb.core.jsonvalue import dumps
from flownb.core.links import branch, branch_token, branches, fingerprint
from flownb.core.model import Attempt
from flownb.core.payload import UnreadableBody
from flownb.core.proofs import proven
from flownb.core.proxies import Proxies, Sender, household
from flownb.core.settings import Auth
from flownb.server.body import hook_event, read, resume_data
from flownb.server.nonces import is_current
from flownb.server.reviews import Sent

TOKEN = "A" * 43
KINDS = (
    b"application/json",
    b"application/x-www-form-urlencoded",
    b"multipart/form-data; boundary=b",
    b"text/plain; charset=utf-16",
    b"text/xml; charset=",
    b"application/x+json; charset=utf-7",
)
FORMS = tuple(
    {"type": "object", "properties": {"a": inner, "b": {"type": "string"}}, "required": ["a"]}
    for inner in (
        {"type": "integer", "minimum": 1},
        {"enum": ["x", 1, None]},
        {"type": "array", "items": {"type": "number"}, "uniqueItems": True},
        {"type": "string", "format": "date-time"},
        {"anyOf": [{"type": "null"}, {"type": "string", "pattern": "^a+$"}]},
    )
)
AUTHS = tuple(Auth(kind, "s") for kind in ("bearer", "hmac", "github", "stripe", "slack"))
MULTIPART = (
    b"Content-Type: multipart/form-data; boundary=b\n\n"
    b'--b\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\nc\r\n--b--\r\n'
)
PROOFS = ("Authorization", "X-Signature", "X-Hub-Signature-256", "Stripe-Signature", "X-Slack-Signature")


def token(data: bytes) -> None:
    """The secret in a link."""
    text = data.decode("utf-8", "replace")
    fingerprint(text)
    if (found := branch(text)) is not None:
        found.is_of(TOKEN)
    made = branch_token(TOKEN, text)
    again = branch(made)
    assert again is not None
    assert again.is_of(TOKEN)
    assert again.name == text
    assert branches(f"<{made}>", [TOKEN]) == [made]


def body(data: bytes) -> None:
    """A body, by the headers that stand before it, as what a workflow is given."""
    head, _, content = data.partition(b"\n\n")
    request = _request(head, b"")
    try:
        found = read(request, content)
    except UnreadableBody as error:
        if error.code not in (400, 415):
            raise
        return
    dumps(resume_data(request, found, 0, [TOKEN]))


def query(data: bytes) -> None:
    """The address and the headers of a request to a hook."""
    address, _, head = data.partition(b"\n")
    dumps(hook_event(_request(head, address), None, TOKEN))


def proof(data: bytes) -> None:
    """The proof of a sender; nobody finds a right one by chance."""
    head, _, content = data.partition(b"\n\n")
    headers = _headers(head)
    for name in PROOFS:
        headers.setdefault(name, head.decode("latin-1"))
    headers.setdefault("X-Slack-Request-Timestamp", head[:16].decode("latin-1"))
    for auth in AUTHS:
        assert not proven(auth, "a secret that nobody knows", headers, content, 0)


def form(data: bytes) -> None:
    """What somebody fills in, as data and as the fields of a page."""
    asked = FORMS[data[0] % len(FORMS)] if data else FORMS[0]
    text = data[1:].decode("utf-8", "replace")
    with suppress(ValueError, RecursionError):
        complaints(asked, json.loads(text))
    found, _ = parse(fields(asked), {"a": text.split("&"), "b": [text]})
    dumps(found)
    complaints(asked, found)


def page(data: bytes) -> None:
    """What the form of the review page sends."""
    try:
        sent = Sent.read(data)
    except ValueError:
        return
    assert not is_current(sent.nonce, b"key", "x", Attempt("a", 1, 1), None, sent.shown)


def proxies(data: bytes) -> None:
    """What proxies say of a request."""
    chain, _, protocol = data.decode("latin-1").partition("\n")
    found = Proxies.of(["10.0.0.0/8"], whoever=True).sender(Sender("10.0.0.1", "http"), chain, protocol)
    assert found.protocol in ("http", "https")
    household(found.ip)


TARGETS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each for each in (token, body, query, proof, form, page, proxies)
}

SEEDS: dict[str, tuple[bytes, ...]] = {
    "token": (TOKEN.encode(), branch_token(TOKEN, "ann").encode()),
    "body": (
        *(b"Content-Type: " + kind + b"\n\n{}" for kind in KINDS),
        MULTIPART,
        b"Content-Type: text/plain; charset*=a; charset*0=b\n\na",
        b'Content-Type: application/json\n\n{"a": [1, 2.5, null, "\\ud800"]}',
    ),
    "query": (b"/x?a=1&a=2&%ff=%00\nX-A: b",),
    "proof": (b"Stripe-Signature: t=1,v1=00\n\n{}", b"Authorization: Bearer a"),
    "form": (b'\x00{"a": 1}', b"\x02[1, 2]", b"\x032020-01-01T00:00:00Z"),
    "page": (b"act=resume&nonce=a&shown=b&data.a=1&by=ann&later=1d",),
    "proxies": (b"192.0.2.1, [2001:db8::1]:80\nhttps,http",),
}


def _headers(head: bytes) -> HTTPHeaders:
    try:
        return HTTPHeaders.parse(head.decode("latin-1"))
    except HTTPInputError:
        return HTTPHeaders()


def _request(head: bytes, address: bytes) -> HTTPServerRequest:
    """As tornado makes it, which reads all of a head as Latin-1; what it refuses is left out."""
    path, _, asked = address.decode("latin-1").partition("?")
    headers = _headers(head)
    headers["Host"] = "flows.example.org"
    line = RequestStartLine("POST", f"/flownb/hook/{TOKEN}/{path}?{asked}", "HTTP/1.1")
    return HTTPServerRequest(start_line=line, headers=headers)
