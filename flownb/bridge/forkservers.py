"""The fork servers of a process: one for each interpreter, preload list, and environment that is read before a fork."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections import Counter
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

from flownb.bridge.forkable import Launch
from flownb.bridge.forked import ForkedProcess
from flownb.bridge.forkserver import ForkFailed, ForkServer

PRELOAD = ("numpy", "pandas", "matplotlib", "matplotlib.pyplot")
MOST = 8
MOST_DEATHS = 3

Key = tuple[tuple[str, ...], tuple[str, ...], frozenset[tuple[str, str]]]

log = logging.getLogger("flownb")


class ForkServers:
    """Started when they are needed for the first time. Until they serve, and where they fail, there are none."""

    def __init__(self, folder: Path | None = None) -> None:
        """They keep their sockets below ``folder``, by default the system's temporary one."""
        self._folder = folder
        self._servers: dict[Key, ForkServer] = {}
        self._former: list[ForkServer] = []
        """Those that only wait for the ends of their kernels."""
        self._deaths: Counter[Key] = Counter()
        """In a row: a kernel that ended while its fork server lived begins a new one."""
        self._given_up: set[Key] = set()
        self._lock = threading.Lock()
        self._owner = os.getpid()

    async def fork(self, launch: Launch, preload: Sequence[str]) -> ForkedProcess | None:
        """A kernel, or None where it has to be started in the ordinary way."""
        server = self.warm_up(launch, preload)
        if server is None or server.starting:
            return None
        key = _key(launch, preload)
        try:
            return await server.fork(launch, partial(self._deaths.pop, key, None))
        except ForkFailed as error:
            log.warning("a kernel is started in the ordinary way: %s", error)
            return None

    def warm_up(self, launch: Launch, preload: Sequence[str]) -> ForkServer | None:
        """The fork server for such kernels, which may just begin to start; None where there is none."""
        key = _key(launch, preload)
        with self._lock:
            self._former = [server for server in self._former if not server.ended]
            server = self._servers.get(key)
            if server is not None and not self._serves(key, server):
                server = None
            if server is None and key not in self._given_up and len(self._servers) < MOST:
                server = self._begin(key, launch)
            return server

    def _begin(self, key: Key, launch: Launch) -> ForkServer | None:
        _, preload, _ = key
        try:
            self._servers[key] = ForkServer(launch, preload, self._folder)
        except OSError as error:
            self._give_up(key, f"the fork server cannot be started: {error}")
        return self._servers.get(key)

    def _give_up(self, key: Key, why: str) -> None:
        self._given_up.add(key)
        log.warning("kernels of %s are not forked but started in the ordinary way: %s", key[0][0], why)

    def _serves(self, key: Key, server: ForkServer) -> bool:
        """Whether it does, or will; else it has been put away."""
        if server.ended:
            del self._servers[key]
            self._deaths[key] += 1
            why = server.refused or f"the fork server has died {MOST_DEATHS} times"
            if server.refused or self._deaths[key] == MOST_DEATHS:
                self._give_up(key, why)
        elif server.outdated or server.stuck:
            self._former.append(self._servers.pop(key))
            server.retire()
        return key in self._servers

    def close(self) -> None:
        """End them and all their kernels."""
        if os.getpid() == self._owner:
            for server in (*self._servers.values(), *self._former):
                server.close()
            self._servers.clear()
            self._former.clear()


def _key(launch: Launch, preload: Sequence[str]) -> Key:
    return launch.command, tuple(preload), frozenset(launch.before_a_fork().items())


def shared() -> ForkServers:
    """Those of this process: a fork of it has its own."""
    return _of_process(os.getpid())


@cache
def _of_process(pid: int) -> ForkServers:
    servers = ForkServers()
    atexit.register(servers.close)
    return servers
