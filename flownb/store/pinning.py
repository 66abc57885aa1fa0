"""Notebooks pinned under names: which version a workflow is, and from when on."""

from __future__ import annotations

from flownb.core.deployment import Deployment
from flownb.core.notebook import Workflow
from flownb.store import deployments, schedules, workflows
from flownb.store.change import Clock
from flownb.store.engine import Database
from flownb.store.keys import Key
from flownb.store.writer import Writer


class Pinning:
    """Changes what names stand for, each change with the schedules that come of it in one transaction."""

    def __init__(self, writer: Writer, key: Key, clock: Clock, known: workflows.Workflows) -> None:
        self._writer = writer
        self._key = key
        self._clock = clock
        self._workflows = known

    async def deploy(self, name: str, workflow: Workflow, notebook: str, by: str | None) -> Deployment:
        """Pin a notebook under a name, on disk."""

        def job(db: Database) -> Deployment:
            now = self._clock.now()
            workflows.put(db, workflow.version, workflow.content, now)
            deployed = deployments.put(db, self._key, name, workflow.version, notebook, now, by)
            schedules.bring_up(db, name, workflow.settings.schedules, now)
            return deployed

        return await self._writer.run(job)

    async def undeploy(self, name: str) -> Deployment:
        """The name starts nothing any more. Raises ``NoSuchWorkflow``."""

        def job(db: Database) -> Deployment:
            schedules.bring_up(db, name, (), self._clock.now())
            return deployments.end(db, name)

        return await self._writer.run(job)

    async def roll_back(self, name: str, number: int, by: str | None) -> Deployment:
        """An earlier version is current again. Raises ``NoSuchWorkflow`` or ``NoSuchVersion``."""

        def job(db: Database) -> Deployment:
            now = self._clock.now()
            deployed = deployments.roll_back(db, name, number, now, by)
            workflow = self._workflows.find(db, deployed.version)
            assert workflow is not None
            schedules.bring_up(db, name, workflow.settings.schedules, now)
            return deployed

        return await self._writer.run(job)

    async def replace_hook(self, name: str) -> Deployment:
        """A workflow has a new hook URL, the one before is unknown. Raises ``NoSuchWorkflow``."""
        return await self._writer.run(lambda db: deployments.replace_hook(db, self._key, name))
