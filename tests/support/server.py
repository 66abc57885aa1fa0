"""A Jupyter server of our own, in a process that tests may kill, with a client for it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.support.clock import ADDRESS
from tests.support.notebooks import write
from tests.support.replay import Told, replay

REPOSITORY = Path(__file__).parents[2]
TOKEN = "a-token-for-tests"
FRONT_ENDS = ("jupyterlab", "notebook", "notebook_shim", "jupyter_lsp", "jupyter_server_terminals")
"""Extensions that a server is without, unless a test opens its pages: they make up a third of its start."""
LITTLE = "--FlowNB.preload=json"
"""What is there anyhow. To import pandas for each server, which few tests need, would take a second each."""

PATIENCE = 60.0
"""Seconds after which something that did not happen is held not to happen any more."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A server on a folder. ``start`` again after ``kill`` is what a user would do after a crash."""

    def __init__(
        self,
        root: Path,
        *settings: str,
        port: int | None = None,
        moving_clock: bool = False,
        front_ends: bool = False,
    ) -> None:
        self.root = root
        self.port = port or free_port()
        self.settings = list(settings)
        if not any("preload" in setting for setting in settings):
            self.settings.append(LITTLE)
        self.log = root.parent / f"{root.name}.log"
        self.environment: dict[str, str] = {}
        self._clock = root.parent / f"{root.name}.clock"
        self._ahead = 0
        if not front_ends:
            self.settings.append(f"--ServerApp.jpserver_extensions={dict.fromkeys(FRONT_ENDS, False)}")
        if moving_clock:
            self.settings.append("--FlowNB.clock_class=tests.support.clock.SteeredClock")
        self.process: subprocess.Popen[bytes] | None = None
        self.http = httpx.Client(headers={"Authorization": f"token {TOKEN}"}, base_url=self.api, timeout=PATIENCE)

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}/flownb/api"

    def launch(self) -> None:
        """Start the process and return at once."""
        # As the console script is: without the folder, which may hold a `pandas.py`, on the path.
        command = [sys.executable, "-P", "-m", "jupyter_server", "--no-browser", "--allow-root"]
        command += [f"--port={self.port}", f"--ServerApp.root_dir={self.root}", *self.settings]
        fixed = {"JUPYTER_TOKEN": TOKEN, ADDRESS: str(self._clock), "PYTHONPATH": str(REPOSITORY)}
        environment = {**os.environ, **fixed, **self.environment}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=self.root)

    def start(self) -> Server:
        """Start, and wait until flownb is at work; the clock is as far ahead as it was."""
        self.launch()
        if self._ahead:
            self.until(self._clock.exists)
        self.until(self.is_healthy)
        if self._ahead:
            self._move_clock()
        return self

    def is_healthy(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.http.get("/health").status_code == 200
        except httpx.TransportError:
            return False

    @property
    def died(self) -> int | None:
        """How the process ended, as its return code; None while it runs."""
        assert self.process is not None
        return self.process.poll()

    def advance(self, **span: float) -> None:
        """Move the server's clock: ``advance(hours=24)``."""
        self._ahead += round(timedelta(**span).total_seconds() * 1000)
        self._move_clock()

    def move_to(self, when: datetime) -> None:
        """Move the server's clock to a point in time, which may lie in its past."""
        self._ahead = round((when.timestamp() - time.time()) * 1000)
        self._move_clock()

    def _move_clock(self) -> None:
        """Returns when it has moved."""
        own = self._clock.with_suffix(".told")
        own.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.bind(str(own))
            sender.settimeout(PATIENCE)
            sender.sendto(str(self._ahead).encode(), str(self._clock))
            sender.recv(64)

    def kill(self) -> None:
        """As the power would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As an operator would; raises where the server does not end."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(timeout=30)

    def close(self) -> None:
        """The end, after which the record must bear to be told again."""
        self.kill()
        self.http.close()
        if self.database.exists():
            self.replay()

    @property
    def database(self) -> Path:
        return self.root / ".flownb" / "flownb.db"

    def replay(self) -> dict[str, Told]:
        """All executions as their journal tells them, which is checked against the tables and the invariants."""
        return {told.execution.id: told for told in replay(self.database)}

    def until(self, holds: Callable[[], Any], patience: float = PATIENCE) -> Any:
        """What ``holds`` returns, once that is true; fails after so many seconds."""
        deadline = time.monotonic() + patience
        while not (found := holds()):
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.02)
        return found

    def submit(self, notebook: str, data: Any = None) -> str:
        """Start an execution of a notebook; returns its id."""
        answer = self.http.post("/executions", json={"notebook": notebook, "data": data})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def run(self, *cells: Any, data: Any = None, **metadata: Any) -> str:
        """Start an execution of a notebook made of these cells."""
        name = f"n{len(list(self.root.glob('*.ipynb')))}.ipynb"
        return self.submit(write(self.root, name, *cells, **metadata), data)

    def get(self, execution: str) -> dict[str, Any]:
        answer = self.http.get(f"/executions/{execution}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def look(self, execution: str) -> dict[str, Any]:
        """How the execution stands, for whoever waits for it."""
        return self.get(execution)

    def wait(self, execution: str, *statuses: str, runs: int | None = None) -> dict[str, Any]:
        """The execution once it has one of these statuses and, if asked for, waits in that run of its step."""

        def arrived() -> dict[str, Any] | None:
            found = self.look(execution)
            there = found["status"] in statuses
            if there and runs is not None:
                there = found["waiting"] is not None and found["waiting"]["runs"] == runs
            final = found["status"] in ("succeeded", "failed", "cancelled")
            assert there or not final, f"ended as {found['status']}: {found['error']}"
            return found if there else None

        found: dict[str, Any] = self.until(arrived)
        return found

    def post(self, execution: str, action: str, **body: Any) -> httpx.Response:
        return self.http.post(f"/executions/{execution}/{action}", json=body)


def step(execution: dict[str, Any], name: str) -> dict[str, Any]:
    """One step of an execution."""
    return next(one for one in execution["steps"] if one["name"] == name)


def returned(execution: dict[str, Any], name: str) -> Any:
    """What a step of an execution returned."""
    return step(execution, name)["exports"]["$return_value"]
