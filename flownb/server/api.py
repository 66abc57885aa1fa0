"""The REST API, behind Jupyter's own authentication and authorisation."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing, suppress
from functools import partial
from http.client import responses
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web
from tornado.iostream import StreamClosedError

from flownb import faults
from flownb.core import events
from flownb.core.errors import FlowNBError, InvalidValue, NotebookError
from flownb.core.jsonvalue import dumps, to_json
from flownb.core.model import Action, Execution, Json, Status
from flownb.core.payload import shape
from flownb.core.times import iso
from flownb.core.transitions import NotNow
from flownb.server.body import TooLarge
from flownb.server.context import Links
from flownb.server.notebooks import NoSuchNotebook
from flownb.server.pages import Told, told
from flownb.server.recorder import record
from flownb.server.service import Active, Service, Unavailable
from flownb.server.view import execution_view
from flownb.store import queries
from flownb.store.store import NotFound
from flownb.store.writer import StoreError

CODES: dict[type[FlowNBError], int] = {
    NotFound: 404,
    NoSuchNotebook: 404,
    NotebookError: 400,
    InvalidValue: 400,
    TooLarge: 413,
    NotNow: 409,
    Unavailable: 503,
    StoreError: 503,
}
LONGEST_PAGE = 500
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


class ExecutionsHandler(FlowHandler):
    """All executions."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        workflow = self.get_query_argument("workflow", None)
        before = self.get_query_argument("before", None)
        page = partial(queries.page, status=self._status(), workflow=workflow, before=before, limit=self._limit())
        found, following = await self.active.store.read(page)
        links = await self.links()
        views = [execution_view(execution, links) for execution in found]
        await self.answer_large(200, {"executions": views, "next": following})

    def _status(self) -> Status | None:
        said = self.get_query_argument("status", None)
        if said is None:
            return None
        try:
            return Status(said)
        except ValueError:
            raise InvalidValue(f"status is one of {', '.join(Status)}, got {said!r}") from None

    def _limit(self) -> int:
        said = self.get_query_argument("limit", "50")
        if not said.isascii() or not said.isdigit() or not 1 <= int(said[:9]) <= LONGEST_PAGE:
            raise InvalidValue(f"limit is a number from 1 to {LONGEST_PAGE}, got {said!r}")
        return int(said)

    @web.authenticated
    @authorized
    async def post(self) -> None:
        body = self.body("notebook", "workflow", "data")
        if "workflow" in body:
            raise NoSuchNotebook(f"no workflow {body['workflow']!r} is deployed: start a notebook by its path")
        path = body.get("notebook")
        if not isinstance(path, str) or not path:
            raise InvalidValue("the body names a `notebook` by its path in the server's root folder")
        trigger = {"type": "api", "event": {"body": body.get("data")}}
        execution = await self._service.submit(path, trigger)
        self.set_header("Location", f"{self.request.path.rstrip('/')}/{execution.id}")
        self.answer(201, await self.view(execution))


class ExecutionHandler(FlowHandler):
    """One execution."""

    @web.authenticated
    @authorized
    async def get(self, execution_id: str) -> None:
        await self.answer_large(200, await self.view(await self.active.store.get(execution_id)))

    @web.authenticated
    @authorized
    async def delete(self, execution_id: str) -> None:
        await self._service.delete(execution_id)
        self.set_status(204)
        self.finish()


class NotebookHandler(FlowHandler):
    """The executed notebook."""

    @web.authenticated
    @authorized
    async def get(self, execution_id: str) -> None:
        active = self.active
        live = active.attempts.live_outputs(execution_id)
        execution = await active.store.get(execution_id)
        await self.answer_large(200, await record(active.store, execution, *([live] if live else [])))


class DecisionHandler(FlowHandler):
    """Resume or cancel, as the links do, but by who may write."""

    @web.authenticated
    @authorized
    async def post(self, execution_id: str, action: str) -> None:
        known = ("data",) if action == Action.RESUME else ()
        data = self.body(*known).get("data")
        said, execution = await self._decide(execution_id, Action(action), data)
        self.answer(said.code, said.json(execution))

    async def _decide(self, execution_id: str, action: Action, data: Json) -> tuple[Told, Execution]:
        request = shape(
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
        answer, after = await self.active.store.request(execution_id, events.RequestArrived(action, request))
        return told(answer), after


class CancelManyHandler(FlowHandler):
    """Cancel many executions; each is answered for."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        ids = self.body("executions").get("executions")
        if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
            raise InvalidValue("the body names `executions`, a list of ids")
        found = await asyncio.gather(*(self._cancel(one) for one in ids))
        self.answer(200, {"executions": found})

    async def _cancel(self, execution_id: str) -> dict[str, Json]:
        try:
            answer, _ = await self.active.store.request(execution_id, events.RequestArrived(Action.CANCEL))
        except NotFound:
            return {"id": execution_id, "code": 404, "status": "not_found"}
        return {"id": execution_id, "code": answer.code, "status": answer.status}


class DrainHandler(FlowHandler):
    """Admit nothing new, or admit again."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        on = self.body("on").get("on", True)
        if not isinstance(on, bool):
            raise InvalidValue("`on` is true or false")
        self.active.scheduler.drain(on)
        self.answer(200, {"draining": on, "running": self.active.scheduler.running})


class HealthHandler(FlowHandler):
    """Whether flownb is at work here, and what is wrong where it is not."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        active = self.active
        counts = await active.store.read(queries.counts)
        state = "draining" if active.scheduler.draining else "active"
        self.answer(200, {"status": state, "running": active.scheduler.running, "executions": counts})


class EventsHandler(FlowHandler):
    """Server-sent events, one per change of an execution; ``Last-Event-ID`` goes on where a stream broke off."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        last = self.request.headers.get("Last-Event-ID", "")
        known = last.isascii() and last.isdigit() and len(last) < 19
        after = int(last) if known else await self.active.store.read(queries.last_change)
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("X-Accel-Buffering", "no")
        self.write(f"id: {after}\n\n")  # so that a stream which breaks before its first event can be gone on with, too
        await self.flush()
        self._reading = asyncio.current_task()
        with suppress(asyncio.CancelledError, StreamClosedError):  # whoever listened has gone
            async with aclosing(self.active.broadcast.events(after)) as changes:
                async for change in changes:
                    said = f"id: {change['seq']}\nevent: execution\ndata: {dumps(change)}" if change else ": alive"
                    self.write(f"{said}\n\n")
                    await self.flush()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        if (reading := getattr(self, "_reading", None)) is not None:
            reading.cancel()


class LaterHandler(FlowHandler):
    """Routes whose capability this version does not have yet."""

    @web.authenticated
    @authorized
    async def get(self, *path: str) -> None:
        self.answer(501, {"message": "this version of flownb cannot do that yet", "reason": "not_implemented"})

    post = put = delete = get


class UnknownHandler(FlowHandler):
    """Anything else below the API."""

    @web.authenticated
    @authorized
    async def get(self, path: str) -> None:
        self.answer(404, {"message": f"the API has nothing at {path!r}", "reason": "not_found"})

    post = put = patch = delete = get


def routes(service: Service, max_body_bytes: int) -> list[tuple[str, Any, Any]]:
    one = r"/flownb/api/executions/([^/]+)"
    table: list[tuple[str, type[FlowHandler]]] = [
        (r"/flownb/api/executions", ExecutionsHandler),
        (r"/flownb/api/executions/cancel", CancelManyHandler),
        (one, ExecutionHandler),
        (rf"{one}/notebook", NotebookHandler),
        (rf"{one}/(resume|cancel)", DecisionHandler),
        (rf"{one}/(replay|open)", LaterHandler),
        (r"/flownb/api/workflows(.*)", LaterHandler),
        (r"/flownb/api/events", EventsHandler),
        (r"/flownb/api/health", HealthHandler),
        (r"/flownb/api/drain", DrainHandler),
        (r"/flownb/api/(.*)", UnknownHandler),
    ]
    arguments = {"service": service, "max_body_bytes": max_body_bytes}
    return [(route, handler, arguments) for route, handler in table]
