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
        strikes = {
            self._kill_server: 3,
            self._kill_kernel: 5,
            self._destroy_kernel: 3,
            self._freeze_kernel: 2,
            self._kill_fork_server: 1,
        }
        self._random.choices([*strikes], [*strikes.values()])[0]()
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

    def _kill_fork_server(self) -> None:
        """All kernels that it has forked go with it."""
        for pid in filter(_forks, self._children()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)  # so that it forks no more
                self.done["kernels killed"] += len(_forked(pid))
                os.kill(pid, signal.SIGKILL)

    def _children(self) -> list[int]:
        assert self._server.process is not None
        return _forked(self._server.process.pid)

    def _signal(self, what: str, how: signal.Signals) -> int | None:
        """Send a signal to one of the server's kernels, if it has any; its process id."""
        kernels = [pid for child in self._children() for pid in (_forked(child) if _forks(child) else [child])]
        if not kernels:
            return None
        chosen = self._random.choice(kernels)
        with suppress(ProcessLookupError):
            os.kill(chosen, how)
            self.done[what] += 1
        return chosen


def _forked(pid: int) -> list[int]:
    """The processes that one has started and not seen the end of."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _forks(pid: int) -> bool:
    """Whether it is a fork server: one of the server's own children, of which a kernel is none."""
    try:
        return b"flownb.kernel.forkserver" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
