"""What ``pd.respond`` takes, and when the caller of an HTTP trigger is given it."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from flownb.core.errors import InvalidValue, shown
from flownb.core.jsonvalue import dumps, to_json
from flownb.core.model import Execution, Json, PauseKind, Response, Status

KEYS = ("status", "headers", "body", "immediate")

WITHOUT_BODY = (204, 304)

REFUSED = frozenset(
    {
        # of one connection, or set by whoever sends the bytes
        *("connection", "content-length", "keep-alive", "proxy-authenticate", "proxy-authorization"),
        *("proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"),
        # of the site, which is Jupyter's own: its logins are not a workflow's business
        *("clear-site-data", "service-worker-allowed", "set-cookie", "set-cookie2"),
    }
)
"""Headers that a workflow may not set."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")

TEXT, JSON, BYTES = "text/plain; charset=utf-8", "application/json", "application/octet-stream"


def response(said: object, immediate: object = False) -> Response:
    """The response that ``{"status", "headers", "body"}`` says; raises ``InvalidValue`` where it cannot be sent so."""
    if not isinstance(said, Mapping):
        raise InvalidValue(f'respond: expected a dict like {{"status": 200, "body": "done"}}, got {shown(said)}')
    if unknown := [key for key in said if key not in KEYS]:
        raise InvalidValue(f"respond: {shown(unknown[0])} is not known: there is {', '.join(KEYS)}")
    status, headers = _status(said.get("status", 200)), _headers(said.get("headers"))
    body, kind = _body(said.get("body"))
    if body is not None and status in WITHOUT_BODY:
        raise InvalidValue(f"respond: an answer of status {status} has no body")
    if kind is not None and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = kind
    at_once = said.get("immediate", immediate)
    if not isinstance(at_once, bool):
        raise InvalidValue(f"respond: immediate: expected True or False, got {shown(at_once)}")
    return Response(status, headers, body, due=at_once)


def _status(status: object) -> int:
    """A final one: after one below 200 a caller waits for another."""
    if not isinstance(status, int) or isinstance(status, bool) or not 200 <= status <= 599:
        raise InvalidValue(f"respond: status: expected a number from 200 to 599, got {shown(status)}")
    return int(status)


def _headers(headers: object) -> dict[str, str]:
    if headers is None:
        return {}
    if not isinstance(headers, Mapping):
        raise InvalidValue(f"respond: headers: expected a dict of names and values, got {shown(headers)}")
    return {_name(name): _value(name, value) for name, value in headers.items()}


def _name(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidValue(f"respond: {shown(name)} is no name of a header")
    if name.lower() in REFUSED:
        raise InvalidValue(f"respond: the header {name} is not a workflow's to set")
    return name


def _value(name: object, value: object) -> str:
    number = isinstance(value, int) and not isinstance(value, bool)
    if not number and not (isinstance(value, str) and _VALUE.fullmatch(value)):
        raise InvalidValue(f"respond: header {name}: expected text of one line in ASCII, got {shown(value)}")
    return str(value)


def _body(body: object) -> tuple[Json, str | None]:
    """As it is kept, and the type of content that it has unless the headers say another."""
    if body is None:
        return None, None
    if isinstance(body, bytes | bytearray | memoryview):
        return {"base64": b64encode(body).decode()}, BYTES
    if isinstance(body, str):
        try:
            body.encode()
        except UnicodeEncodeError:
            raise InvalidValue("respond: body: half of a surrogate pair cannot be sent") from None
        return str.__str__(body), TEXT
    if isinstance(body, dict | list | tuple):
        return dumps(to_json(body, "respond: body")), JSON
    raise InvalidValue(f"respond: body: expected text, bytes, a dict or a list, got {shown(body)}")


def over(execution: Execution) -> bool:
    """Whether nothing is to be expected soon: it has ended, or has paused; a wait for another attempt is no pause."""
    pause = execution.pause if execution.status is Status.SUSPENDED else None
    return execution.status.final or (pause is not None and pause.kind is not PauseKind.RETRY)


def is_answered(execution: Execution) -> bool:
    """Whether the caller can be told what came of the event."""
    return over(execution) or (execution.response is not None and execution.response.due)


def plain(response: Response) -> dict[str, Any]:
    """As it travels from the kernel."""
    return {"status": response.status, "headers": response.headers, "body": response.body, "due": response.due}
