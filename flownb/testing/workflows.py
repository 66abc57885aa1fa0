"""What the fixture ``flownb`` is: starts workflows on a server, and leaves nothing behind."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from flownb.client import ApiError, Client
from flownb.testing.deployed import Deployed
from flownb.testing.run import Run
from flownb.testing.server import Server
from flownb.testing.timeline import Timeline

UNFINISHED = ("queued", "running", "suspended")


class Workflows:
    """Runs and deploys the notebooks of one test."""

    def __init__(self, serve: Callable[[Path], Server], *folders: Path) -> None:
        """``serve`` gives the server for a notebook, and ``folders`` are where relative paths may begin."""
        self._serve = serve
        self._folders = tuple(dict.fromkeys(folders))
        self._timelines: dict[Server, Timeline] = {}
        self._deployed: list[tuple[Server, str]] = []

    def run(self, notebook: str | os.PathLike[str], data: Any = None) -> Run:
        """Start a notebook, by its path from the test's file or from pytest's root folder.

        ``data`` is the ``body`` of the trigger's event. It is read where it is, and runs in its own folder.
        """
        __tracebackhide__ = True
        path, timeline = self._place(notebook)
        return Run(timeline.server.client.start(path, data)["id"], timeline)

    def deploy(self, notebook: str | os.PathLike[str], name: str | None = None) -> Deployed:
        """Put a notebook to work under a name, its own unless given, until the end of the test."""
        __tracebackhide__ = True
        path, timeline = self._place(notebook)
        found = timeline.server.client.deploy(path, name)
        self._deployed.append((timeline.server, found["name"]))
        return Deployed(found["name"], timeline)

    @property
    def client(self) -> Client:
        """A client of the server, for all else; of the server of the notebook that was used first."""
        server = next(iter(self._timelines), None) or self._serve(self._folders[-1])
        return server.client

    def close(self) -> None:
        """Undeploy what was deployed, and cancel what has not ended."""
        for server, name in self._deployed:
            with suppress(ApiError):  # the test has
                server.client.undeploy(name)
        for server in self._timelines:
            for execution in unfinished(server.client):
                with suppress(ApiError):  # it has ended meanwhile
                    server.client.cancel(execution)

    def _place(self, notebook: str | os.PathLike[str]) -> tuple[Path, Timeline]:
        __tracebackhide__ = True
        path = self._find(Path(notebook))
        server = self._serve(path)
        return path, self._timelines.setdefault(server, Timeline(server))

    def _find(self, notebook: Path) -> Path:
        """Raises ``FileNotFoundError``, which names the folders that were looked in."""
        __tracebackhide__ = True
        for folder in self._folders:
            if (folder / notebook).is_file():
                return folder / notebook
        raise FileNotFoundError(f"there is no notebook {notebook} in {' or '.join(map(str, self._folders))}")


def unfinished(client: Client) -> Iterator[str]:
    """The ids of all executions that are not over."""
    for status in UNFINISHED:
        yield from (one["id"] for one in client.executions(status=status, limit=500)["executions"])
