"""A forked kernel's process, as its owner sees it: in the place of ``subprocess.Popen``."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
import weakref
from collections.abc import Callable
from contextlib import suppress

GROUP = 4
"""Of Linux' ``pidfd_send_signal(2)``, from 6.9 on: the signal is for the whole process group."""


async def readable(descriptor: int) -> None:
    """Wait, in the event loop that runs, until something can be read or the other side is gone."""
    loop, event = asyncio.get_running_loop(), asyncio.Event()
    own = os.dup(descriptor)  # others may wait for the same at this time
    loop.add_reader(own, event.set)
    try:
        await event.wait()
    finally:
        loop.remove_reader(own)
        os.close(own)


class ForkedProcess:
    """Belongs to no event loop: it may be started in one and be waited for in another."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, handle: int, connection: socket.socket, told: Callable[[], object]) -> None:
        """``handle`` is a descriptor of the process; on ``connection``, its fork server tells how it ended.

        ``told`` is called when it has.
        """
        self.pid = pid
        self._told = told
        self.returncode: int | None = None
        self._handle = handle
        self._connection = connection.detach()
        self._open = [weakref.finalize(self, os.close, descriptor) for descriptor in (self._handle, self._connection)]
        os.set_blocking(self._connection, False)

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None as long as it runs."""
        if self.returncode is None:
            self.returncode = self._status()
        return self.returncode

    def _status(self) -> int | None:
        try:
            said = os.read(self._connection, 1024)
        except BlockingIOError:
            return None
        except ConnectionResetError:
            said = b""
        if said:
            status: int = json.loads(said)["status"]
            self._told()
            return status
        return -signal.SIGKILL if self._gone() else None  # with its fork server

    def _gone(self) -> bool:
        events = select.poll()
        events.register(self._handle, select.POLLIN)
        return bool(events.poll(0))

    async def ended(self) -> int:
        """Wait for the end, in the event loop that runs; returns the exit status."""
        await readable(self._connection)
        if self.poll() is None:  # nobody is left to tell
            await readable(self._handle)
        status = self.poll()
        assert status is not None
        return status

    def send_signal(self, signum: int) -> None:
        """To the kernel and what it has started, as far as that is in its process group."""
        try:
            signal.pidfd_send_signal(self._handle, signum, None, GROUP)
        except OSError:  # it has no group yet, or the system does not know the flag
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, 0)
                try:
                    os.killpg(self.pid, signum)
                except ProcessLookupError:
                    signal.pidfd_send_signal(self._handle, signum)

    def release(self) -> None:
        """It has ended, and nobody will ask for it or send it a signal again."""
        for close in self._open:
            close()

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)
