"""A request as a workflow sees it: the event of a hook, ``$resume_data``, ``callback_request``, ``context.resume``."""

from __future__ import annotations

import codecs
import json
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from flownb.core.errors import FlowNBError, InvalidValue
from flownb.core.jsonvalue import dumps, to_json
from flownb.core.links import branches
from flownb.core.model import Json
from flownb.core.times import iso

MASK = "…"
_DROPPED = frozenset({"cookie", "x-xsrftoken", "referer"})
_PYTHONS_OWN = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
"""Codecs that are no charset; some take seconds for a large body."""


class UnreadableBody(FlowNBError):
    """A body that is not what its headers announce (400), or of a kind that is not read (415)."""

    reason = "unreadable_body"

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class File:
    """One part of a multipart body; ``filename`` is None for a plain field."""

    name: str
    filename: str | None
    content_type: str
    body: bytes


def event_shape(
    *,
    method: str,
    path: str,
    url: str,
    query: str,
    headers: Iterable[tuple[str, str]],
    client_ip: str,
    body: Json,
    dropped: Iterable[str] = (),
) -> dict[str, Json]:
    """The event of an HTTP trigger; ``dropped`` names headers to leave out besides those that never pass."""
    unwanted = _DROPPED | {name.lower() for name in dropped}
    return {
        "method": method,
        "path": path,
        "url": url,
        "query": collect(parse_qsl(query, keep_blank_values=True)),
        "headers": {name.lower(): value for name, value in headers if name.lower() not in unwanted},
        "client_ip": client_ip,
        "body": body,
    }


def shape(*, received_at: str, **request: Any) -> dict[str, Json]:
    """The shape of a request that ends a pause: that of an event, and when it came."""
    return {**event_shape(**request), "received_at": received_at}


def arrived(body: Json, at: int) -> dict[str, Json]:
    """The one shape for what came without a request; ``at`` in ms since 1970."""
    nothing: dict[str, Json] = dict.fromkeys(("method", "path", "url", "client_ip"))
    return {**nothing, "query": {}, "headers": {}, "body": body, "received_at": iso(at)}


def collect(pairs: Iterable[tuple[str, Json]]) -> dict[str, Json]:
    """Pairs as an object; a key given more than once becomes a list."""
    found: dict[str, list[Json]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}


def read_body(body: bytes, headers: Mapping[str, str], parts: Sequence[File] | None = None) -> Json:
    """A body by its Content-Type: JSON parsed, a form as an object, text as a string, empty as None, else base64.

    ``parts`` are those of a multipart body, already taken apart; None where that failed. Raises ``UnreadableBody``.
    """
    if not body:
        return None
    if (encoding := headers.get("Content-Encoding", "").strip().lower()) not in ("", "identity"):
        raise UnreadableBody(f"Content-Encoding {encoding!r} is not read: send the body as it is", 415)
    kind, charset = _content_type(headers.get("Content-Type", ""))
    if kind == "application/json" or kind.endswith("+json"):
        return _json(_text(body, charset))
    if kind == "application/x-www-form-urlencoded":
        return collect(parse_qsl(_text(body, charset), keep_blank_values=True))
    if kind == "multipart/form-data":
        if parts is None:
            raise UnreadableBody("the multipart body does not match its boundary", 400)
        return collect((part.name, _part(part)) for part in parts)
    if kind.startswith("text/") or kind.endswith(("/xml", "+xml")):
        return _text(body, charset)
    try:
        return body.decode() if not kind else _base64(body)
    except UnicodeDecodeError:
        return _base64(body)


def mask(request: Json, secrets: Iterable[str]) -> Json:
    """The request without the secrets of its links, wherever a caller has put them."""
    written = dumps(request)
    known = list(secrets)
    found = [*(secret for secret in known if secret in written), *branches(written, known)]
    if not found:
        return request
    for secret in found:
        written = written.replace(secret, json.dumps(MASK)[1:-1])
    return json.loads(written)


@lru_cache(64)
def _content_type(header: str) -> tuple[str, str]:
    """The media type, lower-case, empty where there is none to be seen, and the charset."""
    message = Message()
    message["Content-Type"] = header
    kind = header.partition(";")[0].strip().lower()
    try:
        charset = message.get_content_charset("utf-8")
    except Exception:  # the library fails in ways of its own at parameters in pieces that do not fit together
        raise UnreadableBody("the parameters of the Content-Type cannot be read", 400) from None
    return (kind if "/" in kind else ""), charset


def _text(body: bytes, charset: str) -> str:
    try:
        if codecs.lookup(charset).name in _PYTHONS_OWN:
            raise LookupError(charset)
        return body.decode(charset)
    except LookupError:
        raise UnreadableBody(f"charset {charset!r} is not known", 415) from None
    except (UnicodeDecodeError, ValueError):
        raise UnreadableBody(f"the body is not {charset} text, as its Content-Type announces", 400) from None


def _json(text: str) -> Json:
    try:
        return to_json(json.loads(text, parse_constant=_no_constant), "body")
    except (ValueError, RecursionError) as error:
        detail = str(error) if isinstance(error, InvalidValue) else f"the body cannot be read as JSON: {error}"
        raise UnreadableBody(detail, 400) from None


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _part(part: File) -> Json:
    if part.filename is None:
        return _text(part.body, _content_type(part.content_type)[1])
    return {"filename": part.filename, "content_type": part.content_type, **_base64(part.body)}


def _base64(body: bytes) -> dict[str, str]:
    return {"base64": b64encode(body).decode()}
