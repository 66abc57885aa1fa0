"""Taking a request's body off the wire, within a limit, and apart."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tornado import httputil

from flownb.core.errors import FlowNBError
from flownb.core.model import Action, Json
from flownb.core.payload import MASK, File, event_shape, mask, read_body, shape
from flownb.core.times import iso
from flownb.server.context import HOOK

PUBLIC = re.compile(rf"(.*?/flownb/(?:{'|'.join([*Action, HOOK])})/)([^/]*)(.*)")
"""The path of a URL with a secret in it: what stands before that, the secret, and what stands behind."""

DISCARDED = 64 * 1024 * 1024
"""So much of a body over the limit is read and dropped, since a client that still sends would not see the answer."""


class TooLarge(FlowNBError):
    """A body over the limit."""

    reason = "too_large"

    def __init__(self, limit: int, setting: str = "max_body_bytes") -> None:
        super().__init__(f"the body is larger than {limit:,} bytes: nothing was taken (setting {setting})")


class Body:
    """A body that arrives in pieces."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes that have come, the dropped ones too."""
        return self._size

    def take(self, piece: bytes) -> bool:
        """Keep a piece; False once so much was sent that it is not worth listening."""
        self._size += len(piece)
        if self._size <= self._limit:
            self._pieces.append(piece)
        return self._size <= DISCARDED

    def whole(self) -> bytes:
        """Raises ``TooLarge``."""
        if self._size > self._limit:
            raise TooLarge(self._limit)
        return b"".join(self._pieces)


def read(request: httputil.HTTPServerRequest, body: bytes) -> Json:
    """What a body holds, by what its request says of it; raises ``UnreadableBody``."""
    return read_body(body, request.headers, _parts(request.headers.get("Content-Type", ""), body))


def resume_data(request: httputil.HTTPServerRequest, body: Json, now: int, secrets: Iterable[str]) -> dict[str, Json]:
    """A request in the contract's one shape, without the secrets of its links."""
    return mask(  # type: ignore[no-any-return]
        shape(
            method=request.method or "",
            path=masked_path(request),
            url=f"{request.protocol}://{request.host}{masked_path(request)}",
            query=request.query,
            headers=request.headers.get_all(),
            client_ip=request.remote_ip or "",
            body=body,
            received_at=iso(now) or "",
        ),
        secrets,
    )


def hook_event(
    request: httputil.HTTPServerRequest, body: Json, token: str, dropped: Iterable[str] = ()
) -> dict[str, Json]:
    """A request to a hook as its workflow's event: the secret is in no part of it, nor are the headers ``dropped``."""
    before, _, suffix = taken_apart(request)
    return mask(  # type: ignore[no-any-return]
        event_shape(
            method=request.method or "",
            path=suffix or "/",
            url=f"{request.protocol}://{request.host}{before}{MASK}{suffix}",
            query=request.query,
            headers=request.headers.get_all(),
            client_ip=request.remote_ip or "",
            body=body,
            dropped=dropped,
        ),
        [token],
    )


def _parts(content_type: str, body: bytes) -> list[File] | None:
    """The parts of a multipart body; None where it cannot be taken apart."""
    if not content_type.lower().startswith("multipart/form-data"):
        return None
    arguments: dict[str, list[bytes]] = {}
    files: dict[str, list[httputil.HTTPFile]] = {}
    try:
        httputil.parse_body_arguments(content_type, body, arguments, files)
    except Exception:  # besides tornado's own error, those of the library that reads the headers of parts
        return None
    fields = [File(name, None, "", value) for name, values in arguments.items() for value in values]
    return fields + [
        File(name, part["filename"], part["content_type"], part["body"])
        for name, sent in files.items()
        for part in sent
    ]


def masked_path(request: httputil.HTTPServerRequest) -> str:
    """The path of a link without its secret, however that was written."""
    return taken_apart(request)[0] + MASK


def taken_apart(request: httputil.HTTPServerRequest) -> tuple[str, str, str]:
    """The path of a public URL as it came: what stands before its secret, the secret, and what stands behind."""
    found = PUBLIC.fullmatch(request.path)
    assert found is not None
    return found[1], found[2], found[3]
