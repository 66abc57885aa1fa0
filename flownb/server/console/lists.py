"""Overview, executions, inbox and workflows."""

from __future__ import annotations

from functools import partial
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb import __version__
from flownb.core.model import PauseKind, Status
from flownb.core.times import iso
from flownb.server.api_workflows import workflow_view
from flownb.server.console.handler import ConsoleHandler, choices
from flownb.server.console.views import row
from flownb.store import lists, queries

PAGE = 50
INBOX_PAGE = 200
TOP = 8
"""Rows of each list of the overview."""


class OverviewHandler(ConsoleHandler):
    """How things stand."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        active, links = self.active, await self.links()
        counts = await active.store.read(queries.counts)
        waiting, more = await active.store.read(partial(lists.inbox, limit=TOP, kind=PauseKind.SUSPEND))
        latest, _ = await active.store.read(partial(lists.page, limit=TOP))
        await self.show(
            "overview.html",
            counts=counts,
            waiting=[row(one, links, self.now) for one in waiting],
            more=more is not None,
            latest=[row(one, links, self.now) for one in latest],
            draining=active.scheduler.draining,
            running=active.scheduler.running,
            most=self._service.config.max_running,
            release=__version__,
        )


class ExecutionsHandler(ConsoleHandler):
    """All executions, a page at a time, by what they are asked for."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        active, links = self.active, await self.links()
        chosen: dict[str, Any] = {
            "status": self.one_of(Status, "status"),
            "workflow": self.wanted("workflow"),
            "kind": self.one_of(PauseKind, "kind"),
            "search": self.wanted("search"),
        }
        before = self.wanted("before")
        found, following = await active.store.read(partial(lists.page, limit=PAGE, before=before, **chosen))
        await self.show(
            "executions.html",
            rows=[row(one, links, self.now) for one in found],
            chosen=chosen,
            statuses=choices(Status),
            kinds=choices(PauseKind),
            workflows=await active.store.read(lists.names),
            newest=self.url("executions", **chosen) if before else None,
            older=self.url("executions", **chosen, before=following) if following else None,
        )


class WorkflowsHandler(ConsoleHandler):
    """What is deployed, and the workflows that were seen."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        links = await self.links()
        found = await self.active.store.read(lists.workflows)
        shown = [
            {
                "name": one.name,
                "notebook": one.latest.notebook,
                "counts": {status.value: one.counts[status] for status in Status if status in one.counts},
                "total": one.total,
                "latest": row(one.latest, links, self.now),
                "at": iso(one.latest.created_at),
            }
            for one in found
        ]
        active, writes = self.active, await self.may_write()
        scheduled = await active.schedules.all()
        deployed = [
            workflow_view(one, writes, scheduled[one.deployment.name]) for one in await active.deployments.all()
        ]
        notebooks = await self._service.notebooks.paths() if writes else []
        await self.show("workflows.html", workflows=shown, deployed=deployed, notebooks=notebooks)
