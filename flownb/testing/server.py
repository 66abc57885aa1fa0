"""A Jupyter server for tests: a process on loopback, with a client of it and a clock that tests move."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from flownb.client import ApiError, Client, NoServer

PATIENCE = 60.0
"""Seconds after which something that did not happen is held not to happen any more."""

CLOCK = "flownb.server.steered.SteeredClock"
ADDRESS = "FLOWNB_TEST_CLOCK"
"""The clock of a server that tests move, and where in the environment it finds the path of its socket."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A server on a folder. ``start`` again after ``kill`` is what a user would do after a crash.

    Its log and the socket of its clock are files that begin with ``beside``: a short path, as sockets need it.
    """

    def __init__(self, root: Path, *settings: str, beside: Path, token: str, port: int | None = None) -> None:
        self.root = root
        self.port = port or free_port()
        self.settings = list(settings)
        self.token = token
        self.log = Path(f"{beside}.log")
        self.environment: dict[str, str] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self.client = Client(self.url, token, root)
        self._clock = Path(f"{beside}.clock")
        self._ahead = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def launch(self) -> None:
        """Start the process and return at once."""
        # As the console script is: without the folder, which may hold a `pandas.py`, on the path.
        command = [sys.executable, "-P", "-m", "jupyter_server", "--no-browser", "--allow-root"]
        command += [f"--port={self.port}", f"--ServerApp.root_dir={self.root}", *self.settings]
        fixed = {"JUPYTER_TOKEN": self.token, ADDRESS: str(self._clock)}
        environment = {**os.environ, **fixed, **self.environment}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own Python
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=self.root
            )

    def start(self) -> Self:
        """Start, and wait until flownb is at work; the clock is as far ahead as it was."""
        self.launch()
        if self._ahead:
            self.until(self._clock.exists)
        self.until(self.is_healthy)
        if self._ahead:
            self._move_clock()
        return self

    def is_healthy(self) -> bool:
        """Whether flownb is at work there; fails where the process has ended."""
        assert self.died is None, self.log.read_text()
        try:
            return bool(self.client.health()["status"])
        except (ApiError, NoServer):
            return False

    @property
    def died(self) -> int | None:
        """How the process ended, as its return code; None while it runs."""
        assert self.process is not None
        return self.process.poll()

    def now(self) -> int:
        """The time of the server's clock, in milliseconds since 1970."""
        return time.time_ns() // 1_000_000 + self._ahead

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

    def close(self) -> None:
        """The end."""
        self.kill()
        self.client.close()

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(timeout=30)

    def until(self, holds: Callable[[], Any], patience: float = PATIENCE) -> Any:
        """What ``holds`` returns, once that is true; fails after so many seconds."""
        deadline = time.monotonic() + patience
        while not (found := holds()):
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.02)
        return found

    def look(self, execution: str) -> dict[str, Any]:
        """How the execution stands, for whoever waits for it."""
        return self.client.execution(execution)

    def changes(self, patience: float = PATIENCE) -> Iterator[str | None]:
        """None at once, then the id of each execution that changes, for so many seconds."""
        with self.client.events() as events:
            ending = threading.Timer(patience, events.stop)
            ending.daemon = True
            ending.start()
            try:
                yield None
                for change in events:
                    yield change["execution"]
            finally:
                ending.cancel()
