"""What the handlers of the REST API share."""

from __future__ import annotations

import asyncio
import json
from http.client import responses
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import APIHandler
from tornado import web

from flownb import faults
from flownb.core.errors import FlowNBError, InvalidValue, NotebookError
from flownb.core.jsonvalue import dumps, to_json
from flownb.core.model import Execution, Json
from flownb.core.payload import shape
from flownb.core.replays import CannotReplay
from flownb.core.times import iso
from flownb.core.transitions import NotNow
from flownb.server.body import TooLarge
from flownb.server.context import Links
from flownb.server.continuing import PauseEnded
from flownb.server.notebooks import NoSuchNotebook
from flownb.server.openings import CannotOpen
from flownb.server.service import Active, Service, Unavailable
from flownb.server.view import execution_view
from flownb.store.store import NotFound
from flownb.store.writer import StoreError

CODES: dict[type[FlowNBError], int] = {
    NotFound: 404,
    NoSuchNotebook: 404,
    NotebookError: 400,
    InvalidValue: 400,
    TooLarge: 413,
    NotNow: 409,
    CannotReplay: 409,
    CannotOpen: 409,
    PauseEnded: 409,
    Unavailable: 503,
    StoreError: 503,
}
LOGIN_HEADERS = ("authorization",)


class FlowHandler(APIHandler):
    """What all handlers of the API share: errors as ``{"message", "reason"}``, bodies as JSON objects."""

    auth_resource = "flownb"

    def initialize(self, service: Service, max_body_bytes: int) -> None:
        self._service = service
        self._max_body_bytes = max_body_bytes

    @property
    def active(self) -> Active:
        return self._service.active

    def body(self, *known: str) -> dict[str, Json]:
        """The body, an object with no other keys than those ``known``; raises ``InvalidValue`` or ``TooLarge``."""
        if len(self.request.body) > self._max_body_bytes:
            raise TooLarge(self._max_body_bytes)
        try:
            found = to_json(json.loads(self.request.body or b"{}"), "the body")
        except (ValueError, RecursionError) as error:
            detail = str(error) if isinstance(error, InvalidValue) else f"the body is not JSON: {error}"
            raise InvalidValue(detail) from None
        if not isinstance(found, dict):
            raise InvalidValue("the body is to be a JSON object")
        if unknown := [key for key in found if key not in known]:
            there = ", ".join(known) or "no key"
            raise InvalidValue(f"the body has the unknown key {unknown[0]!r}: {there} is known here")
        return found

    async def links(self) -> Links | None:
        """What shows links, to those who may use them."""
        may = self.authorizer.is_authorized(self, self.current_user, "write", self.auth_resource)
        return self.active.links if await ensure_async(may) else None

    async def view(self, execution: Execution) -> dict[str, Json]:
        return execution_view(execution, await self.links())

    def request_shape(self, data: Json) -> Json:
        """This call as ``$resume_data`` has it, with ``data`` as its body."""
        return shape(
            method=self.request.method or "",
            path=self.request.path,
            url=self.request.full_url().partition("?")[0],
            query="",
            headers=self.request.headers.get_all(),
            client_ip=self.request.remote_ip or "",
            body=data,
            received_at=iso(self._service.clock.now()) or "",
            dropped=LOGIN_HEADERS,
        )

    def answer(self, code: int, content: Json) -> None:
        self._send(code, dumps(content))

    async def answer_large(self, code: int, content: Json) -> None:
        """With the exports of executions, an answer may take long to write: that is done off the event loop."""
        self._send(code, await asyncio.to_thread(dumps, content))

    def _send(self, code: int, written: str) -> None:
        if self.request.method != "GET":
            faults.point("answer.api")
        self.set_status(code)
        self.set_header("Content-Type", "application/json")
        self.finish(written)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Every error as a message and a short reason."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, FlowNBError):
            code = next((code for kind, code in CODES.items() if isinstance(error, kind)), 500)
            self.answer(code, {"message": str(error), "reason": error.reason})
        elif isinstance(error, web.HTTPError):
            name = responses.get(status_code, "error")
            reason = error.reason or name.lower().replace(" ", "_")
            self.answer(status_code, {"message": error.log_message or name, "reason": reason})
        else:
            self.answer(500, {"message": "flownb failed: see the server's log", "reason": "internal_error"})

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, FlowNBError):
            super().log_exception(typ, value, tb)
