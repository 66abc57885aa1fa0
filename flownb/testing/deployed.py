"""A deployed workflow, whose triggers a test pulls."""

from __future__ import annotations

from typing import Any

import httpx

from flownb.client import Client
from flownb.testing.run import Run
from flownb.testing.server import PATIENCE
from flownb.testing.timeline import Timeline, milliseconds


class Deployed:
    """A workflow under its name, until the end of the test."""

    def __init__(self, name: str, timeline: Timeline) -> None:
        self.name = name
        self._timeline = timeline
        self._server = timeline.server
        self._before = {one["id"] for one in self._executions()}
        self._runs: dict[str, Run] = {}
        self._given: set[str] = set()
        timeline.timed.append(self)

    def __repr__(self) -> str:
        return f"<Deployed {self.name}>"

    @property
    def workflow(self) -> dict[str, Any]:
        """All of it, as the REST API shows it."""
        return self._client.workflow(self.name)

    @property
    def hook_url(self) -> str:
        """The address of its HTTP trigger."""
        return str(self.workflow["hook_url"])

    def start(self, data: Any = None) -> Run:
        """Start it by the REST API; ``data`` is the ``body`` of its event."""
        execution = self._client.start_workflow(self.name, data)["id"]
        self._look()
        self._given.add(execution)
        return self._runs[execution]

    def hook(self, method: str = "POST", **arguments: Any) -> httpx.Response:
        """A request to its HTTP trigger; ``arguments`` as ``httpx.request`` takes them."""
        return httpx.request(method, self.hook_url, **{"timeout": PATIENCE, **arguments})

    def started(self) -> Run:
        """The oldest execution of it that the test was not given yet, once there is one."""
        __tracebackhide__ = True
        for _ in self._server.changes():
            self._look()
            new = [run for execution, run in self._runs.items() if execution not in self._given]
            if new:
                self._given.add(new[0].id)
                return new[0]
        raise AssertionError(f"expected that {self.name} is started, but it was not within {PATIENCE:.0f} seconds")

    def advance(self, **span: float) -> None:
        """Move the server's clock as that of a run does; schedules start what they are to start on the way."""
        __tracebackhide__ = True
        self._timeline.advance(**span)

    def settled(self) -> int | None:
        """When a schedule comes next, in milliseconds since 1970, None where there is none."""
        self._look()
        return min(filter(None, (milliseconds(one["next_at"]) for one in self.workflow["schedule"])), default=None)

    def passes(self, time: int) -> None:
        """Wait until what was scheduled by then has been started, or skipped, of which the server tells no change."""
        self._server.until(lambda: (self.settled() or time + 1) > time)

    @property
    def _client(self) -> Client:
        return self._server.client

    def _executions(self) -> list[dict[str, Any]]:
        """Newest first."""
        return list(self._client.executions(workflow=self.name, limit=500)["executions"])

    def _look(self) -> None:
        """Take notice of what was started, oldest first."""
        for one in reversed(self._executions()):
            if one["id"] not in self._before | self._runs.keys():
                self._runs[one["id"]] = Run(one["id"], self._timeline)
