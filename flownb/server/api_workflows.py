"""Deployed workflows by the REST API."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core.diff import as_json
from flownb.core.errors import InvalidValue
from flownb.core.model import Json
from flownb.core.times import iso
from flownb.server.api_decide import signature
from flownb.server.api_schedules import schedule_view
from flownb.server.deployments import Deployed, Version
from flownb.server.handler import FlowHandler
from flownb.store.schedules import Scheduled


class WorkflowsHandler(FlowHandler):
    """All of them."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        every = self.flag("all")
        shows, deployments = await self.may_write(), self.active.deployments
        found = await deployments.all() if every else deployments
        scheduled = await self.active.schedules.all()
        views = [workflow_view(one, shows, scheduled[one.deployment.name]) for one in found]
        self.answer(200, {"workflows": views})

    @web.authenticated
    @authorized
    async def post(self) -> None:
        await deploy(self, None)


class WorkflowHandler(FlowHandler):
    """One of them."""

    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        self.answer(200, await shown(self, self.active.deployments.get(name), await self.may_write()))

    @web.authenticated
    @authorized
    async def put(self, name: str) -> None:
        await deploy(self, name)

    @web.authenticated
    @authorized
    async def delete(self, name: str) -> None:
        await self.active.deployments.undeploy(name)
        self.set_status(204)
        self.finish()


async def shown(handler: FlowHandler, deployed: Deployed, shows_links: bool) -> dict[str, Json]:
    """A deployment as the API shows it, with how its schedules stand."""
    scheduled = await handler.active.schedules.of(deployed.deployment.name)
    return workflow_view(deployed, shows_links, scheduled)


async def deploy(handler: FlowHandler, name: str | None) -> None:
    """Answer a wish to deploy a notebook, or merely to see what that would do."""
    body = handler.body("notebook", "dry_run", "by")
    path, dry_run = body.get("notebook"), body.get("dry_run", False)
    if not isinstance(path, str) or not path or not isinstance(dry_run, bool):
        raise InvalidValue(
            "the body names a `notebook` by its path in the server's root folder; `dry_run` is a boolean"
        )
    deployments = handler.active.deployments
    if dry_run:
        plan = await deployments.plan(path, name)
        said = {"name": plan.name, "notebook": plan.notebook, "version": plan.workflow.version, "dry_run": True}
    else:
        deployed, plan = await deployments.deploy(path, name, _deployer(handler, body))
        said = await shown(handler, deployed, True)
    before = plan.before.number if plan.before else None
    handler.answer(200, {**said, "before": before, "warnings": list(plan.warnings), "diff": as_json(plan.diff)})


def _deployer(handler: FlowHandler, said: dict[str, Json]) -> str | None:
    """Who deploys: as Jupyter's login knows them, else as they call themselves; raises ``InvalidValue``."""
    signed = signature(said, handler.login_name(), "api", None)
    return signed.user or signed.by


class VersionsHandler(FlowHandler):
    """All versions of a workflow."""

    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        found = await self.active.deployments.versions(name)
        self.answer(200, {"versions": [version_view(one) for one in found]})


class DiffHandler(FlowHandler):
    """What changed between two versions: with the one before, or with the one that is named."""

    @web.authenticated
    @authorized
    async def get(self, name: str, number: str) -> None:
        new = self._number(number)
        old = self._number(self.get_query_argument("from", str(max(0, new - 1))))
        found = await self.active.deployments.compare(name, old, new)
        self.answer(200, {"from": old, "to": new, **as_json(found)})

    @staticmethod
    def _number(said: str) -> int:
        if not said.isascii() or not said.isdigit() or len(said) > 9:
            raise InvalidValue(f"the number of a version is a whole number, got {said!r}")
        return int(said)


class RollbackHandler(FlowHandler):
    """An earlier version is current again."""

    @web.authenticated
    @authorized
    async def post(self, name: str) -> None:
        said = self.body("number", "by")
        number = said.get("number")
        if number is not None and (not isinstance(number, int) or isinstance(number, bool) or abs(number) > 10**9):
            raise InvalidValue("`number` is that of a version, or null for the one before")
        deployed, found = await self.active.deployments.roll_back(name, number, _deployer(self, said))
        self.answer(200, {**await shown(self, deployed, True), "diff": as_json(found)})


class HookHandler(FlowHandler):
    """The hook URL of a workflow."""

    @web.authenticated
    @authorized
    async def post(self, name: str) -> None:
        self.body()
        self.answer(200, await shown(self, await self.active.deployments.replace_hook(name), True))


def version_view(of: Version) -> dict[str, Json]:
    """A version as the API shows it."""
    one = of.deployment
    return {
        "number": one.number,
        "version": one.version,
        "notebook": one.notebook,
        "at": iso(one.at),
        "by": one.by,
        "restores": one.restores,
        "current": of.current,
        "executions": of.unfinished,
    }


def workflow_view(deployed: Deployed, shows_links: bool, scheduled: list[Scheduled]) -> dict[str, Json]:
    """A deployment as the API shows it; its hook URL only to those who may write."""
    of = deployed.deployment
    return {
        "name": of.name,
        "notebook": of.notebook,
        "active": of.active,
        "version": of.version,
        "number": of.number,
        "restores": of.restores,
        "deployed_at": iso(of.at),
        "deployed_by": of.by,
        "hook_url": deployed.hook_url if shows_links and of.active else None,
        "schedule": [schedule_view(one) for one in scheduled],
        "settings": deployed.workflow.content["metadata"].get("flownb", {}),
    }


_ONE = r"/flownb/api/workflows/([^/]+)"

ROUTES: list[tuple[str, type[FlowHandler]]] = [
    (r"/flownb/api/workflows", WorkflowsHandler),
    (_ONE, WorkflowHandler),
    (rf"{_ONE}/versions", VersionsHandler),
    (rf"{_ONE}/versions/([^/]+)/diff", DiffHandler),
    (rf"{_ONE}/rollback", RollbackHandler),
    (rf"{_ONE}/hook", HookHandler),
]
