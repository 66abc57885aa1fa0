"""A real Jupyter server in a process of its own, for what speaks with it from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from flownb.client import ApiError, Client, NoServer, find
from tests.support.notebooks import cell, write
from tests.support.server import LIGHT, LITTLE, REPOSITORY

TOKEN = "token-of-the-tests"
Found = TypeVar("Found")


@dataclass(frozen=True)
class Server:
    """A running server and the folder it serves."""

    root: Path
    pid: int
    client: Client

    def waiting(self, notebook: str) -> dict[str, Any]:
        """An execution of a notebook, once it waits."""
        started = self.client.start(self.root / notebook)
        return next(found for found in self.client.follow(started["id"]) if found["status"] == "suspended")


@contextmanager
def jupyter_server(root: Path) -> Iterator[Server]:
    """A server for ``root``, found by the files in the runtime folder of this process's environment."""
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ServerApp.port=0"]
    command += [LITTLE, "--FlowNB.shutdown_seconds=0"]
    environment = {**os.environ, "JUPYTER_TOKEN": TOKEN}
    with (root / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=root, env=environment, stdout=log, stderr=log)
    try:
        client = until(lambda: found(root))
        yield Server(root, process.pid, client)
        client.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def found(root: Path) -> Client | None:
    """A client of the server for ``root`` once flownb is at work there."""
    try:
        client = find(near=root)
    except (NoServer, ApiError):
        return None
    try:
        client.health()
    except (NoServer, ApiError):
        client.close()
        return None
    return client


def until(look: Callable[[], Found | None], seconds: float = 30) -> Found:
    """What ``look`` finds, as soon as it finds something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (found := look()) is not None:
            return found
        time.sleep(0.05)
    raise AssertionError("nothing was found in time")


NOTEBOOKS = {
    "quick.ipynb": [cell("x = 20 + 1", "one"), cell("{'twice': 2 * x}", "two")],
    "ask.ipynb": [
        cell("pd.flow.suspend(reason='May <b>I</b>?')", "ask"),
        cell("pd.steps.ask.get('$resume_data', {}).get('body')", "told"),
    ],
    "again.ipynb": [cell("pd.flow.rerun(3_600_000, None, 3) if pd.context.run.runs < 3 else None;", "again")],
    "fail.ipynb": [cell("raise ValueError('broken on purpose')", "fail"), cell("1", "never")],
}


def write_notebooks(root: Path) -> Path:
    """Put the notebooks of these tests into a folder."""
    for name, cells in NOTEBOOKS.items():
        write(root, name, *cells)
    return root


@pytest.fixture(scope="package")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No other servers on this machine than those of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        patch.setenv("PYTHONPATH", os.pathsep.join([str(LIGHT), str(REPOSITORY)]))
        patch.delenv("JPY_PARENT_PID", raising=False)
        patch.delenv("JUPYTER_TOKEN", raising=False)
        yield


@pytest.fixture(scope="package")
def server(environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with small notebooks."""
    with jupyter_server(write_notebooks(tmp_path_factory.mktemp("root"))) as running:
        yield running
