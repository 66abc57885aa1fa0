"""The REST API, behind Jupyter's own authentication and authorisation."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from flownb.core.deployment import Start
from flownb.core.errors import InvalidValue
from flownb.core.jsonvalue import dumps
from flownb.core.model import PauseKind, Status
from flownb.server import (
    api_data,
    api_decide,
    api_errors,
    api_moving,
    api_outbox,
    api_retention,
    api_schedules,
    api_usage,
    api_verify,
    api_workflows,
)
from flownb.server.api_backup import BackupHandler
from flownb.server.api_doctor import DoctorHandler
from flownb.server.api_emit import EmitHandler
from flownb.server.api_migrate import MigrateHandler
from flownb.server.api_open import ContinueHandler, OpenedHandler, OpenHandler
from flownb.server.description import DescriptionHandler
from flownb.server.handler import FlowHandler
from flownb.server.recorder import record
from flownb.server.service import Service
from flownb.server.view import journal_view, pauses_view, snapshots_view
from flownb.store import checkpoints, queries

LONGEST_SEARCH = 1_000
"""Characters; SQLite itself refuses much longer ones."""

Word = TypeVar("Word", bound=StrEnum)


class ExecutionsHandler(FlowHandler):
    """All executions."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        page = partial(
            queries.page,
            limit=self.limit(),
            status=self._one_of(Status, "status"),
            kind=self._one_of(PauseKind, "kind"),
            workflow=self.get_query_argument("workflow", None),
            search=self._search(),
            before=self.get_query_argument("before", None),
        )
        found, following = await self.active.store.read(page)
        await self.answer_large(200, {"executions": await self.views(found), "next": following})

    def _search(self) -> str | None:
        said = self.get_query_argument("search", None)
        if said is not None and len(said) > LONGEST_SEARCH:
            raise InvalidValue(f"search is text of at most {LONGEST_SEARCH} characters")
        return said

    def _one_of(self, kind: type[Word], name: str) -> Word | None:
        said = self.get_query_argument(name, None)
        if said is None:
            return None
        try:
            return kind(said)
        except ValueError:
            raise InvalidValue(f"{name} is one of {', '.join(kind)}, got {said!r}") from None

    @web.authenticated
    @authorized
    async def post(self) -> None:
        body = self.body("notebook", "workflow", "data", "trigger")
        path, name = body.get("notebook"), body.get("workflow")
        if (kind := body.get("trigger", "api")) not in ("api", "emit"):
            raise InvalidValue('`trigger` is "api" or "emit"')
        trigger = {"type": kind, "event": {"body": body.get("data")}, **self.starter()}
        if isinstance(name, str) and path is None:
            execution, _ = await self.active.store.start(Start(name, trigger, limited=True))
        elif isinstance(path, str) and path and name is None:
            execution = await self._service.submit(path, trigger)
        else:
            raise InvalidValue("the body names a `notebook` by its path in the server's root folder, or a `workflow`")
        self.set_header("Location", f"{self.request.path.rstrip('/')}/{execution.id}")
        self.answer(201, await self.view(execution))


class ExecutionHandler(FlowHandler):
    """One execution."""

    @web.authenticated
    @authorized
    async def get(self, execution_id: str) -> None:
        execution = await self.active.store.get(execution_id)
        read = self.active.store.read
        kept = await read(partial(checkpoints.of_execution, execution_id=execution_id))
        pauses = await read(partial(queries.pauses, execution_id=execution_id))
        usage = await asyncio.to_thread(self.active.snapshots.usage, execution_id, sum(one.stored for one in kept))
        view = {**await self.view(execution), "pauses": pauses_view(pauses), **snapshots_view(kept, usage)}
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
        live = await active.attempts.live_outputs(execution_id)
        execution = await active.store.get(execution_id)
        await self.answer_large(200, await record(active.store, execution, *([live] if live else [])))


class JournalHandler(FlowHandler):
    """What happened to an execution, who decided what, when and from where."""

    @web.authenticated
    @authorized
    async def get(self, execution_id: str) -> None:
        await self.active.store.get(execution_id)
        entries = await self.active.store.read(partial(queries.journal_of, execution_id=execution_id))
        await self.answer_large(200, {"entries": [journal_view(entry) for entry in entries]})


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


class EventsHandler(EmitHandler):
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
        self._reading = asyncio.current_task()
        with suppress(asyncio.CancelledError, StreamClosedError):  # whoever listened has gone
            await self.flush()
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
        *api_decide.ROUTES,
        *api_moving.ROUTES,
        (r"/flownb/api/executions", ExecutionsHandler),
        (one, ExecutionHandler),
        (rf"{one}/notebook", NotebookHandler),
        (rf"{one}/journal", JournalHandler),
        (rf"{one}/replay", ReplayHandler),
        (rf"{one}/migrate", MigrateHandler),
        (rf"{one}/open", OpenHandler),
        (rf"{one}/continue", ContinueHandler),
        *api_outbox.ROUTES,
        *api_workflows.ROUTES,
        *api_usage.ROUTES,
        *api_data.ROUTES,
        *api_schedules.ROUTES,
        *api_verify.ROUTES,
        *api_retention.ROUTES,
        *api_errors.ROUTES,
        (r"/flownb/api/events", EventsHandler),
        (r"/flownb/api/health", HealthHandler),
        (r"/flownb/api/drain", DrainHandler),
        (r"/flownb/api/doctor", DoctorHandler),
        (r"/flownb/api/backup", BackupHandler),
        (r"/flownb/openapi\.yaml", DescriptionHandler),
        (r"/flownb/api/(.*)", UnknownHandler),
    ]
    arguments = {"service": service, "max_body_bytes": max_body_bytes}
    opened = (r"/flownb/opened", OpenedHandler, {"service": service})
    return [opened, *((route, handler, arguments) for route, handler in table)]
