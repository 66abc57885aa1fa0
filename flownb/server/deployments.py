"""What is deployed now, kept at hand: triggers, limits and pages look things up here, and hear of changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from flownb.core.deployment import Deployment, NoSuchWorkflow
from flownb.core.errors import InvalidValue
from flownb.core.notebook import Workflow, demand_name
from flownb.server.context import Links
from flownb.server.notebooks import Notebooks
from flownb.store import deployments
from flownb.store.store import Store


@dataclass(frozen=True)
class Deployed:
    """A deployment with its workflow and its hook URL."""

    deployment: Deployment
    workflow: Workflow
    hook_url: str


class Deployments:
    """All active deployments, by name. Listeners are called on the event loop and must return at once."""

    def __init__(self, store: Store, notebooks: Notebooks, links: Links) -> None:
        self._store = store
        self._notebooks = notebooks
        self._links = links
        self._active: dict[str, Deployed] = {}
        self._listeners: list[Callable[[str], None]] = []

    async def load(self) -> None:
        """What was deployed before this server began."""
        for deployment in await self._store.read(deployments.all_current):
            if deployment.active:
                await self._keep(deployment)

    def listen(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Hear the names of workflows that were deployed or undeployed from now on; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def __iter__(self) -> Iterator[Deployed]:
        return iter(list(self._active.values()))

    def get(self, name: str) -> Deployed:
        """Raises ``NoSuchWorkflow``."""
        if name not in self._active:
            raise NoSuchWorkflow(name)
        return self._active[name]

    async def deploy(self, path: str, name: str | None, by: str | None) -> Deployed:
        """Pin a notebook under a name: the one given, that of its settings, or that of its file.

        Raises ``NoSuchNotebook``, ``NotebookError``, ``InvalidValue`` for a name that cannot be, or ``StoreError``.
        """
        place, found = await self._notebooks.workflow(path)
        name = name or found.settings.name or PurePosixPath(place).stem
        if found.settings.name not in (None, name):
            raise InvalidValue(f"{path} says that its name is {found.settings.name!r}: deploy it as that")
        found = await self._store.workflow(found.version) or found
        return await self._changed(await self._store.deploy(demand_name(name), found, place, by))

    async def undeploy(self, name: str) -> None:
        """The name starts nothing any more; what runs or waits goes on. Raises ``NoSuchWorkflow``."""
        await self._store.undeploy(name)
        self._active.pop(name, None)
        self._tell(name)

    async def _changed(self, deployment: Deployment) -> Deployed:
        deployed = await self._keep(deployment)
        self._tell(deployment.name)
        return deployed

    async def _keep(self, deployment: Deployment) -> Deployed:
        workflow = await self._store.workflow(deployment.version)
        assert workflow is not None
        deployed = Deployed(deployment, workflow, self._links.hook(deployment.name, deployment.serial))
        self._active[deployment.name] = deployed
        return deployed

    def _tell(self, name: str) -> None:
        for listener in list(self._listeners):
            listener(name)
