"""One deployed workflow: how it starts, what it did, its versions, and the settings in its notebook."""

from __future__ import annotations

from functools import partial
from typing import Any

import yaml
from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core.deployment import NoSuchWorkflow, Start
from flownb.core.errors import FlowNBError, InvalidValue, NotebookError
from flownb.core.model import Json
from flownb.core.settings_schema import SCHEMA
from flownb.core.words import limits
from flownb.server import contents
from flownb.server.api_workflows import version_view, workflow_view
from flownb.server.console.acts import data_in
from flownb.server.console.handler import ConsoleHandler
from flownb.server.console.views import row
from flownb.server.console.words import Notice
from flownb.server.deployments import Deployed
from flownb.store import lists

TOP = 8
"""Rows of each list of executions."""

NOT_WRITTEN = "The settings were not written."


class ShowsWorkflow(ConsoleHandler):
    """The page of one workflow, which is also the answer to settings that were not accepted."""

    async def show_workflow(self, name: str, code: int = 200, typed: str | None = None, wrong: str = "") -> None:
        active, links, writes = self.active, await self.links(), await self.may_write()
        deployed = await active.deployments.latest(name)
        if deployed is None:
            raise NoSuchWorkflow(name)
        notebook = deployed.deployment.notebook
        latest, _ = await active.store.read(partial(lists.page, limit=TOP, workflow=name))
        waiting, more = await active.store.read(partial(lists.inbox, limit=TOP, workflow=name))
        await self.show(
            "workflow.html",
            code,
            **({"said": Notice(NOT_WRITTEN, good=False)} if wrong else {}),
            workflow=workflow_view(deployed, writes, await active.schedules.of(name)),
            limits=limits(deployed.workflow.settings.quota),
            latest=[row(one, links, self.now) for one in latest],
            waiting=[row(one, links, self.now) for one in waiting],
            more=more is not None,
            versions=[version_view(one) for one in await active.deployments.versions(name)],
            pending=await self._pending(deployed),
            edited=await self._edited(notebook, typed, wrong) if writes else None,
            notebook_url=self.notebook_url(notebook),
        )

    async def _pending(self, deployed: Deployed) -> dict[str, Any]:
        """What a deployment of the notebook as it is now would change, or why it cannot be."""
        of = deployed.deployment
        try:
            plan = await self.active.deployments.plan(of.notebook, of.name)
        except FlowNBError as error:
            return {"diff": None, "warnings": (), "wrong": str(error)}
        return {"diff": plan.diff, "warnings": plan.warnings, "wrong": None}

    async def _edited(self, notebook: str, typed: str | None, wrong: str) -> dict[str, Any] | None:
        """The settings in the file, for the form; None where they cannot be read."""
        try:
            said = await contents.read_settings(self, notebook)
        except (web.HTTPError, NotebookError, InvalidValue):
            return None
        return {
            "text": typed if typed is not None else written(said),
            "wrong": wrong,
            "seen": contents.seen(said),
            "open": await contents.is_open(self, notebook),
            "known": {key: one.get("description", "") for key, one in SCHEMA["properties"].items()},
        }


class WorkflowHandler(ShowsWorkflow):
    """One workflow as it stands."""

    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        await self.show_workflow(name)


class VersionHandler(ConsoleHandler):
    """What changed with one version, or from another one to it."""

    @web.authenticated
    @authorized
    async def get(self, name: str, number: str) -> None:
        deployments = self.active.deployments
        known = {str(one.deployment.number): one.deployment for one in await deployments.versions(name)}
        if number not in known:
            raise web.HTTPError(404, f"Workflow {name!r} has no version {number}.")
        new = known[number]
        old = self.wanted("from") or str(new.number - 1)
        if old != "0" and old not in known:
            raise web.HTTPError(404, f"Workflow {name!r} has no version {old}.")
        found = await deployments.compare(name, int(old), new.number)
        await self.show(
            "version.html", name=name, number=new.number, old=int(old), numbers=sorted(map(int, known)), diff=found
        )


class DeployHandler(ConsoleHandler):
    """Deploy a notebook."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        path, name = self.get_body_argument("notebook"), self.get_body_argument("name", "").strip() or None
        deployed, _ = await self.active.deployments.deploy(path, name, self.login_name())
        self.go(self.url("deployed", deployed.deployment.name, said="deployed"))


class ActHandler(ConsoleHandler):
    """Start a workflow now, end or restore its deployment, replace its hook URL."""

    @web.authenticated
    @authorized
    async def post(self, name: str, act: str) -> None:
        deployments = self.active.deployments
        if act == "start":
            trigger = {"type": "console", "event": {"body": data_in(self)}, **self.starter()}
            execution, _ = await self.active.store.start(Start(name, trigger, limited=True))
            self.go(self.url("executions", execution.id, said="started"))
            return
        if act == "undeploy":
            await deployments.undeploy(name)
        elif act == "hook":
            await deployments.replace_hook(name)
        else:
            await deployments.roll_back(name, _number(self.get_body_argument("number")), self.login_name())
        self.go(self.url("deployed", name, said=act))


class SettingsHandler(ShowsWorkflow):
    """Settings of a workflow, into the file of its notebook."""

    @web.authenticated
    @authorized
    async def post(self, name: str) -> None:
        may = self.authorizer.is_authorized(self, self.current_user, "write", "contents")
        if not await ensure_async(may):
            raise web.HTTPError(403, "You may not write notebooks here.")
        deployed = await self.active.deployments.latest(name)
        if deployed is None:
            raise NoSuchWorkflow(name)
        typed = self.get_body_argument("settings", "").replace("\r\n", "\n")
        try:
            said = read(typed)
            await contents.write_settings(self, deployed.deployment.notebook, said, self.get_body_argument("seen"))
        except InvalidValue as error:
            await self.show_workflow(name, 422, typed, str(error))
            return
        self.go(self.url("deployed", name, said="written"))


def written(said: dict[str, Json]) -> str:
    """Settings as they are edited: YAML, which JSON is, too."""
    return yaml.safe_dump(said, sort_keys=False, allow_unicode=True) if said else ""


def read(typed: str) -> dict[str, Json]:
    """Settings as they were typed; raises ``InvalidValue``."""
    try:
        said = yaml.safe_load(typed)
    except Exception as error:  # PyYAML lets through whatever its constructors raise
        raise InvalidValue(f"this is not YAML: {' '.join(str(error).split())}") from None
    if said is None:
        return {}
    if not isinstance(said, dict):
        raise InvalidValue("settings are `key: value` pairs")
    return {str(key): value for key, value in said.items()}


def _number(said: str) -> int:
    if not said.isascii() or not said.isdigit() or len(said) > 9:
        raise InvalidValue(f"the number of a version is a whole number, got {said!r}")
    return int(said)
