"""Deployed workflows by the REST API."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core.errors import InvalidValue
from flownb.core.model import Json
from flownb.core.times import iso
from flownb.server.deployments import Deployed
from flownb.server.handler import FlowHandler


class WorkflowsHandler(FlowHandler):
    """All of them."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        shows = await self.may_write()
        self.answer(200, {"workflows": [workflow_view(one, shows) for one in self.active.deployments]})


class WorkflowHandler(FlowHandler):
    """One of them."""

    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        self.answer(200, workflow_view(self.active.deployments.get(name), await self.may_write()))

    @web.authenticated
    @authorized
    async def put(self, name: str) -> None:
        path = self.body("notebook").get("notebook")
        if not isinstance(path, str) or not path:
            raise InvalidValue("the body names a `notebook` by its path in the server's root folder")
        deployed = await self.active.deployments.deploy(path, name, self.login_name())
        self.answer(200, workflow_view(deployed, True))

    @web.authenticated
    @authorized
    async def delete(self, name: str) -> None:
        await self.active.deployments.undeploy(name)
        self.set_status(204)
        self.finish()


def workflow_view(deployed: Deployed, shows_links: bool) -> dict[str, Json]:
    """A deployment as the API shows it; its hook URL only to those who may write."""
    of, settings = deployed.deployment, deployed.workflow.settings
    return {
        "name": of.name,
        "notebook": of.notebook,
        "version": of.version,
        "number": of.number,
        "deployed_at": iso(of.at),
        "deployed_by": of.by,
        "hook_url": deployed.hook_url if shows_links else None,
        "schedule": [
            {"cron": one.cron, "every": one.every, "timezone": one.timezone, "missed": one.missed}
            for one in settings.schedules
        ],
        "settings": deployed.workflow.content["metadata"].get("flownb", {}),
    }


ROUTES: list[tuple[str, type[FlowHandler]]] = [
    (r"/flownb/api/workflows", WorkflowsHandler),
    (r"/flownb/api/workflows/([^/]+)", WorkflowHandler),
]
