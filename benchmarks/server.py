"""A Jupyter server of its own with flownb in it, as users start one, and a light client for it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from benchmarks.poster import TOKEN, Poster
from flownb.client.http import FINAL, Client
from flownb.core.errors import FlowNBError

FRONT_ENDS = ("jupyterlab", "notebook", "notebook_shim", "jupyter_lsp", "jupyter_server_terminals")

PATIENCE = 60.0
"""Seconds after which what has not happened is held not to happen any more."""

QUIET_SECONDS = 0.4
QUIET_SHARE = 0.15
"""A server has settled when for so long it had less to do than this share of one core: timers, and tidying up."""


class Server:
    """``jupyter server`` on a folder, from its start to its end.

    It is without JupyterLab and the like, which take part in nothing here.
    """

    def __init__(self, folder: Path, *settings: str) -> None:
        """``folder`` is the server's alone, with its root folder ``root``; ``settings`` as on its command line."""
        self.root = folder / "root"
        self.root.mkdir(exist_ok=True)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        self._log = folder / "server.log"
        command = [sys.executable, "-P", "-m", "jupyter_server", "--no-browser", "--allow-root"]
        command += [f"--port={self.port}", f"--ServerApp.root_dir={self.root}"]
        command += [f"--ServerApp.jpserver_extensions={dict.fromkeys(FRONT_ENDS, False)}"]
        command += ["--FlowNB.address_rate=0", "--FlowNB.link_rate=0", *settings]  # all load comes from one address
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.root, env={**os.environ, "JUPYTER_TOKEN": TOKEN}
            )
        self.client = Client(f"http://127.0.0.1:{self.port}/", TOKEN, own=True)

    def is_healthy(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"the server ended: {self._log.read_text()[-2000:]}")
        try:
            return bool(self.client.health(timeout=1)["status"] == "active")
        except FlowNBError:
            return False

    def start(self, notebook: str) -> str:
        """Start an execution; returns its id once the server has answered."""
        body = json.dumps({"notebook": notebook})
        return str(self._poster.send("/flownb/api/executions", body, 201)["id"])

    def post(self, url: str) -> None:
        """A request to a link, given as a URL or its path."""
        self._poster(url)

    def poster(self) -> Poster:
        """Another connection, for another thread."""
        return Poster(self.port)

    def written(self, execution: str) -> bool:
        """Whether the executed notebook is on disk; it is put there as a whole."""
        return any((self.root / "flownb-runs").glob(f"*{execution}*.ipynb"))

    def wait(self, executions: Iterable[str], *statuses: str) -> None:
        """Returns with the change that brings the last of them to such a status; for one that is to come, not past."""
        left = set(executions)
        while left:
            change = next(self._changes)
            if change["execution"] in left:
                if change["status"] in statuses:
                    left.discard(change["execution"])
                elif change["status"] in FINAL:
                    found = self.client.execution(change["execution"])
                    raise RuntimeError(f"an execution has {change['status']}: {found['error']}")

    def suspended(self, notebook: str) -> dict[str, Any]:
        """A new execution, once it is suspended."""
        execution = self.start(notebook)
        self.wait([execution], "suspended")
        return self.client.execution(execution)

    def without_kernel(self, execution: dict[str, Any]) -> None:
        """Wait until the kernel has gone in which its first step exported ``pid``."""
        pid = execution["steps"][0]["exports"]["pid"]
        self.until(lambda: not psutil.pid_exists(pid))

    def settle(self) -> None:
        """Wait until neither the server nor its kernels have anything to do: the parked kernels are ready."""
        busy = self._cpu()
        while True:
            time.sleep(QUIET_SECONDS)
            now = self._cpu()
            if now[0] == busy[0] and now[1] - busy[1] < QUIET_SHARE * QUIET_SECONDS:
                return
            busy = now

    def _cpu(self) -> tuple[frozenset[int], float]:
        """The processes, and the seconds that they have worked."""
        spent, there = 0.0, []
        for process in self.processes():
            try:
                spent += sum(process.cpu_times()[:2])
            except psutil.NoSuchProcess:
                continue
            there.append(process.pid)
        return frozenset(there), spent

    def processes(self) -> list[psutil.Process]:
        """The server, and all below it."""
        server = psutil.Process(self.process.pid)
        return [server, *server.children(recursive=True)]

    def until(self, holds: Callable[[], object], every: float = 0.01) -> None:
        """Look again and again, so many seconds apart, until something holds."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {PATIENCE:.0f} s: {self._log.read_text()[-2000:]}")
            time.sleep(every)

    def __enter__(self) -> Self:
        try:
            self.until(self.is_healthy)
            self._poster = Poster(self.port)
            self._changes = self.client.events()
        except BaseException:
            self.process.kill()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._changes.close()
        self.client.close()
        self._poster.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=PATIENCE)
