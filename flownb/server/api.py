"""The REST API, behind Jupyter's own authentication and authorisation."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from functools import partial
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from flownb.core import events
from flownb.core.errors import InvalidValue
from flownb.core.jsonvalue import dumps
from flownb.core.model import Action, Execution, Json, Status
from flownb.server.api_doctor import DoctorHandler
from flownb.server.api_open import ContinueHandler, OpenedHandler, OpenHandler
from flownb.server.handler import FlowHandler
from flownb.server.notebooks import NoSuchNotebook
from flownb.server.pages import Told, told
from flownb.server.recorder import record
from flownb.server.service import Service
from flownb.server.view import execution_view, snapshots_view
from flownb.store import checkpoints, queries
from flownb.store.store import NotFound

LONGEST_PAGE = 500


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
        execution = await self.active.store.get(execution_id)
        kept = await self.active.store.read(partial(checkpoints.of_execution, execution_id=execution_id))
        usage = await asyncio.to_thread(self.active.snapshots.usage, execution_id)
        view = {**await self.view(execution), **snapshots_view(kept, usage)}
        await self.answer_large(200, view)

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
        request = self.request_shape(data)
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


class ReplayHandler(FlowHandler):
    """A new execution that begins where this one had got to."""

    @web.authenticated
    @authorized
    async def post(self, execution_id: str) -> None:
        body = self.body("from", "version", "force")
        step, version, force = body.get("from"), body.get("version", "same"), body.get("force", False)
        if step is not None and not isinstance(step, str):
            raise InvalidValue("`from` is the name of a step, or null for the first")
        if version not in ("same", "latest") or not isinstance(force, bool):
            raise InvalidValue('`version` is "same" or "latest", `force` is true or false')
        replays = self.active.replays
        new = await replays.replay(execution_id, step, latest=version == "latest", force=force)
        self.set_header("Location", f"{self.request.path.rpartition('/executions/')[0]}/executions/{new.id}")
        self.answer(201, await self.view(new))


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
        (rf"{one}/replay", ReplayHandler),
        (rf"{one}/open", OpenHandler),
        (rf"{one}/continue", ContinueHandler),
        (r"/flownb/api/workflows(.*)", LaterHandler),
        (r"/flownb/api/events", EventsHandler),
        (r"/flownb/api/health", HealthHandler),
        (r"/flownb/api/drain", DrainHandler),
        (r"/flownb/api/doctor", DoctorHandler),
        (r"/flownb/api/(.*)", UnknownHandler),
    ]
    arguments = {"service": service, "max_body_bytes": max_body_bytes}
    opened = (r"/flownb/opened", OpenedHandler, {"service": service})
    return [opened, *((route, handler, arguments) for route, handler in table)]
