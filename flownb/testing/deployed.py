"""A deployed workflow, whose triggers a test pulls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from flownb.client import Client
from flownb.testing.run import Run
from flownb.testing.server import PATIENCE, Server


class Deployed:
    """A workflow under its name, until the end of the test."""

    def __init__(self, server: Server, name: str, seen: Callable[[str], Run]) -> None:
        """``seen`` makes the ``Run`` of an execution."""
        self.name = name
        self._server = server
        self._seen = seen
        self._known = {one["id"] for one in self._executions()}

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
        return self._run(self._client.start_workflow(self.name, data)["id"])

    def hook(self, method: str = "POST", **arguments: Any) -> httpx.Response:
        """A request to its HTTP trigger; ``arguments`` as ``httpx.request`` takes them."""
        return httpx.request(method, self.hook_url, **{"timeout": PATIENCE, **arguments})

    def started(self) -> Run:
        """The oldest execution of it that the test has not seen yet, once there is one."""
        __tracebackhide__ = True
        for _ in self._server.changes():
            new = [one["id"] for one in self._executions() if one["id"] not in self._known]
            if new:
                return self._run(new[-1])
        raise AssertionError(f"expected that {self.name} is started, but it was not within {PATIENCE:.0f} seconds")

    @property
    def _client(self) -> Client:
        return self._server.client

    def _executions(self) -> list[dict[str, Any]]:
        """Newest first."""
        return list(self._client.executions(workflow=self.name, limit=500)["executions"])

    def _run(self, execution_id: str) -> Run:
        self._known.add(execution_id)
        return self._seen(execution_id)
