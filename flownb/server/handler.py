"""What the handlers of the REST API share."""

from __future__ import annotations

import asyncio
import json
from http.client import responses
from typing import Any

from jupyter_server.base.handlers import APIHandler
from tornado import web

from flownb import faults
from flownb.core.deployment import QueueFull
from flownb.core.errors import FlowNBError, InvalidValue
from flownb.core.jsonvalue import dumps, to_json
from flownb.core.model import Execution, Json
from flownb.server.base import LoggedInHandler, code_of
from flownb.server.view import execution_view

LONGEST_PAGE = 500

RETRY_AFTER = 5
"""Seconds after which a caller whose event found the queue full may try again."""


class FlowHandler(LoggedInHandler, APIHandler):
    """What all handlers of the API share: errors as ``{"message", "reason"}``, bodies as JSON objects."""

    def body(self, *known: str) -> dict[str, Json]:
        """The body, an object with no other keys than those ``known``; raises ``InvalidValue`` or ``TooLarge``."""
        try:
            found = to_json(json.loads(self.whole_body() or b"{}"), "the body")
        except (ValueError, RecursionError) as error:
            detail = str(error) if isinstance(error, InvalidValue) else f"the body is not JSON: {error}"
            raise InvalidValue(detail) from None
        if not isinstance(found, dict):
            raise InvalidValue("the body is to be a JSON object")
        if unknown := [key for key in found if key not in known]:
            there = ", ".join(known) or "no key"
            raise InvalidValue(f"the body has the unknown key {unknown[0]!r}: {there} is known here")
        return found

    def limit(self) -> int:
        """How many a page is to have; raises ``InvalidValue``."""
        said = self.get_query_argument("limit", "50")
        if not said.isascii() or not said.isdigit() or not 1 <= int(said[:9]) <= LONGEST_PAGE:
            raise InvalidValue(f"limit is a number from 1 to {LONGEST_PAGE}, got {said!r}")
        return int(said)

    def flag(self, name: str) -> bool:
        """Whether the address says ``true`` to that name; raises ``InvalidValue`` for other words than those two."""
        said = self.get_query_argument(name, "false")
        if said not in ("true", "false"):
            raise InvalidValue(f"{name} is true or false, got {said!r}")
        return said == "true"

    async def view(self, execution: Execution) -> dict[str, Json]:
        return (await self.views([execution]))[0]

    async def views(self, executions: list[Execution]) -> list[dict[str, Json]]:
        links, path = await self.links(), self._service.executed_path
        return [execution_view(one, links, path(one)) for one in executions]

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
            if isinstance(error, QueueFull):
                self.set_header("Retry-After", str(RETRY_AFTER))
            self.answer(code_of(error), {"message": str(error), "reason": error.reason})
        elif isinstance(error, web.HTTPError):
            name = responses.get(status_code, "error")
            reason = error.reason or name.lower().replace(" ", "_")
            self.answer(status_code, {"message": error.log_message or name, "reason": reason})
        else:
            self.answer(500, {"message": "flownb failed: see the server's log", "reason": "internal_error"})
