"""What is done to a server and its kernels while they work: kill, stop for a while, destroy, at random."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.support.server import Server


class Violence:
    """Strikes from time to time, until it has killed as often as it was told to."""

    def __init__(self, server: Server, random: Random, kills: int) -> None:
        self.done: Counter[str] = Counter()
        self._server = server
        self._random = random
        self._kills = kills
        self._next = time.monotonic()

    @property
    def kills(self) -> int:
        return self.done.total() - self.done["frozen"]

    def go_on(self) -> None:
        """Strike if it is time to."""
        if self.kills >= self._kills or time.monotonic() < self._next:
            return
        strikes = (self._kill_server, self._kill_kernel, self._destroy_kernel, self._freeze_kernel)
        self._random.choices(strikes, (3, 5, 3, 2))[0]()
        self._next = time.monotonic() + self._random.uniform(0.1, 1.0)

    def _kill_server(self) -> None:
        self._server.kill()
        self.done["servers killed"] += 1
        self._server.start()

    def _kill_kernel(self) -> None:
        self._signal("kernels killed", signal.SIGKILL)

    def _destroy_kernel(self) -> None:
        self._signal("segmentation faults", signal.SIGSEGV)

    def _freeze_kernel(self) -> None:
        if pid := self._signal("frozen", signal.SIGSTOP):
            time.sleep(self._random.uniform(0.05, 0.3))
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _signal(self, what: str, how: signal.Signals) -> int | None:
        """Send a signal to one of the server's kernels, if it has any; its process id."""
        assert self._server.process is not None
        pid = self._server.process.pid
        kernels = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if not kernels:
            return None
        chosen = int(self._random.choice(kernels))
        with suppress(ProcessLookupError):
            os.kill(chosen, how)
            self.done[what] += 1
        return chosen
