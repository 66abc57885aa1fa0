"""What is deployed now, kept at hand: triggers, limits and pages look things up here, and hear of changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from flownb.core.deployment import Deployment, NoSuchVersion, NoSuchWorkflow
from flownb.core.diff import Diff, diff
from flownb.core.errors import InvalidValue, NotebookError
from flownb.core.notebook import Workflow, demand_name
from flownb.server.context import Links
from flownb.server.notebooks import Notebooks
from flownb.store import deployments
from flownb.store.engine import Database
from flownb.store.store import Store


@dataclass(frozen=True)
class Deployed:
    """A deployment with its workflow and its hook URL."""

    deployment: Deployment
    workflow: Workflow
    hook_url: str


@dataclass(frozen=True)
class Plan:
    """What is to be deployed: the workflow in a notebook, what it takes the place of, and how they differ."""

    name: str
    notebook: str
    workflow: Workflow
    before: Deployment | None
    warnings: tuple[str, ...]
    diff: Diff


@dataclass(frozen=True)
class Version:
    """One of the versions of a workflow; ``unfinished`` counts the executions that are pinned to it and not over."""

    deployment: Deployment
    current: bool
    unfinished: int


class Deployments:
    """All active deployments, by name. Listeners are called on the event loop and must return at once."""

    def __init__(self, store: Store, notebooks: Notebooks, links: Links) -> None:
        self._store = store
        self._notebooks = notebooks
        self._links = links
        self._active: dict[str, Deployed] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._changing = asyncio.Lock()  # so that what is at hand is what was committed last

    async def load(self) -> None:
        """What was deployed before this server began."""
        for deployment in await self._store.read(deployments.all_current):
            if deployment.active:
                await self._keep(deployment)

    async def refresh(self) -> None:
        """What other servers on the same store have deployed or undeployed since."""
        async with self._changing:
            known = {one.deployment.name: one.deployment for one in self}
            for found in await self._store.read(deployments.all_current):
                if found.active and known.get(found.name) != found:
                    await self._changed(found)
                elif not found.active and found.name in known:
                    self._active.pop(found.name)
                    self._tell(found.name)

    def listen(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Hear the names of workflows that were deployed or undeployed from now on; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def __len__(self) -> int:
        return len(self._active)

    def __iter__(self) -> Iterator[Deployed]:
        return iter(list(self._active.values()))

    def get(self, name: str) -> Deployed:
        """Raises ``NoSuchWorkflow``."""
        if name not in self._active:
            raise NoSuchWorkflow(name)
        return self._active[name]

    async def all(self) -> list[Deployed]:
        """What each name stands for, by name: also those that were undeployed."""
        return [await self._deployed(one) for one in await self._store.read(deployments.all_current)]

    async def plan(self, path: str, name: str | None) -> Plan:
        """What a deployment of a notebook would do, under the name given, that of its settings, or that of its file.

        Raises ``NoSuchNotebook``, ``NotebookError`` that names each cell with an error, or ``InvalidValue`` for a name
        that cannot be or a folder to watch that leaves the root folder.
        """
        place, found = await self._notebooks.workflow(path)
        for watch in found.settings.watches:
            await asyncio.to_thread(self._notebooks.folder, place, watch.folder)
        name = demand_name(name or found.settings.name or PurePosixPath(place).stem)
        if found.settings.name not in (None, name):
            raise InvalidValue(f"{path} says that its name is {found.settings.name!r}: deploy it as that")
        warnings = await asyncio.to_thread(checked, path, found)
        found = await self._store.workflow(found.version) or found
        before = await self._store.read(partial(deployments.current, name=name))
        old = await self._store.workflow(before.version) if before else None
        return Plan(name, place, found, before, warnings, await asyncio.to_thread(diff, old, found))

    async def deploy(self, path: str, name: str | None, by: str | None) -> tuple[Deployed, Plan]:
        """Pin a notebook under a name; raises as ``plan``, and ``StoreError``."""
        async with self._changing:
            plan = await self.plan(path, name)
            deployment = await self._store.pinning.deploy(plan.name, plan.workflow, plan.notebook, by)
            return await self._changed(deployment), plan

    async def roll_back(self, name: str, number: int | None, by: str | None) -> tuple[Deployed, Diff]:
        """An earlier version is current again, under a new number; None stands for the one before.

        Raises ``NoSuchWorkflow``, ``NoSuchVersion``, ``InvalidValue`` where there is none before, or ``NotebookError``
        where it could not run here any more.
        """
        async with self._changing:
            now = self.get(name)
            if number is None and now.deployment.origin == 1:
                raise InvalidValue(f"version 1 of workflow {name!r} is the first: there is none before it")
            number = now.deployment.origin - 1 if number is None else number
            meant = await self.version(name, number)
            await asyncio.to_thread(self._notebooks.check_kernelspec, meant.workflow.kernelspec)
            deployed = await self._changed(await self._store.pinning.roll_back(name, number, by))
            return deployed, await asyncio.to_thread(diff, now.workflow, deployed.workflow)

    async def undeploy(self, name: str) -> None:
        """The name starts nothing any more; what runs or waits goes on. Raises ``NoSuchWorkflow``."""
        async with self._changing:
            await self._store.pinning.undeploy(name)
            self._active.pop(name, None)
            self._tell(name)

    async def replace_hook(self, name: str) -> Deployed:
        """A new hook URL; the old one is unknown from now on. Raises ``NoSuchWorkflow``."""
        async with self._changing:
            return await self._changed(await self._store.pinning.replace_hook(name))

    async def versions(self, name: str) -> list[Version]:
        """All versions of a workflow, the latest first; raises ``NoSuchWorkflow`` where none was ever deployed."""
        history, current, unfinished = await self._store.read(partial(_history, name=name))
        if current is None:
            raise NoSuchWorkflow(name)
        return [
            Version(one, current.active and one.number == current.number, unfinished.get(one.version, 0))
            for one in history
        ]

    async def latest(self, name: str) -> Deployed | None:
        """What a name stands for, also where it was undeployed; None where it never was deployed."""
        found = await self._store.read(partial(deployments.current, name=name))
        return await self._deployed(found) if found else None

    async def version(self, name: str, number: int) -> Deployed:
        """One of the versions; raises ``NoSuchVersion``."""
        found = await self._store.read(partial(deployments.numbered, name=name, number=number))
        if found is None:
            raise NoSuchVersion(name, number)
        return await self._deployed(found)

    async def compare(self, name: str, old: int, new: int) -> Diff:
        """What changed from one version to another; 0 stands for nothing. Raises ``NoSuchVersion``."""
        before = (await self.version(name, old)).workflow if old else None
        return await asyncio.to_thread(diff, before, (await self.version(name, new)).workflow)

    async def _changed(self, deployment: Deployment) -> Deployed:
        deployed = await self._keep(deployment)
        self._tell(deployment.name)
        return deployed

    async def _keep(self, deployment: Deployment) -> Deployed:
        self._active[deployment.name] = deployed = await self._deployed(deployment)
        return deployed

    async def _deployed(self, deployment: Deployment) -> Deployed:
        workflow = await self._store.workflow(deployment.version)
        assert workflow is not None
        return Deployed(deployment, workflow, self._links.hook(deployment.name, deployment.serial))

    def _tell(self, name: str) -> None:
        for listener in list(self._listeners):
            listener(name)


def checked(path: str, workflow: Workflow) -> tuple[str, ...]:
    """The warnings of a notebook; raises ``NotebookError`` where it has errors."""
    from flownb.core.check import of_workflow, placed  # which needs IPython: a server that deploys nothing does not

    found = of_workflow(workflow)
    if wrong := [placed(one) for one in found if one.level == "error"]:
        raise NotebookError(f"{path}: {'; '.join(wrong)}")
    return tuple(placed(one) for one in found)


def _history(db: Database, name: str) -> tuple[list[Deployment], Deployment | None, dict[str, int]]:
    return deployments.history(db, name), deployments.current(db, name), deployments.unfinished(db, name)
