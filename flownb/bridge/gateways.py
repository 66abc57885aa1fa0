"""Kernels on several gateways, and on this machine: chosen by label, weight and free places; those lost are probed."""

from __future__ import annotations

import asyncio
import fcntl
import getpass
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from flownb.bridge.gateway import Access, Gateway
from flownb.bridge.kernel_side import KernelSide
from flownb.bridge.local import LocalKernel, LocalKernels
from flownb.bridge.places import Host, Places
from flownb.bridge.port import GatewayLost, KernelStartFailed, Spec
from flownb.bridge.remote import RemoteKernel, RemoteSlot

LOCAL = "local"
"""In place of a gateway's URL: this machine."""

PATIENCE_SECONDS = 60.0
"""So long a start waits while none of the gateways that would do answers."""

FIRST_PROBE, LONGEST_PROBE = 0.5, 15.0
"""Seconds between two looks whether a gateway is back; the first, and the most."""


class Gateways:
    """Starts kernels on the gateways that answer."""

    def __init__(
        self,
        accesses: Sequence[Access],
        folder: Path,
        local: LocalKernels,
        log: logging.Logger | logging.LoggerAdapter[Any],
    ) -> None:
        """``folder`` keeps what kernels need of flownb, and notes which there are, for a server that is killed."""
        self._log = log
        self._local = local
        self._side = KernelSide(folder)
        self._notes = Notes(folder / "remote")
        self._places = Places([self._host(access) for access in accesses])
        self._alive: set[RemoteKernel] = set()
        self._left = self._notes.left()
        self._tasks: set[asyncio.Task[None]] = set()

    def _host(self, access: Access) -> Host:
        source = self._local if access.url == LOCAL else Gateway(access)
        return Host(access.name, access.named, access.weight, access.slots, source)

    async def start(self, spec: Spec) -> RemoteKernel | LocalKernel:
        """A kernel that is ready for cells, where there is a place for it, which is waited for.

        Raises ``KernelStartFailed``, ``KernelDied`` or ``GatewayLost``.
        """
        able = self._places.of(spec.gateway)
        if not able:
            raise KernelStartFailed(self._unknown(spec.gateway))
        while True:
            host = await self._taken(spec.gateway, able)
            seat = Seat(self, host)
            try:
                if isinstance(host.source, LocalKernels):
                    kernel = await host.source.start(spec)
                    kernel.on_end(seat.leave)
                    return kernel
                return await self._started(seat, host.source, spec)
            except GatewayLost as error:
                seat.leave()
                self.lost(host, str(error))
            except BaseException:
                seat.leave()
                raise

    async def _taken(self, label: str | None, able: Sequence[Host]) -> Host:
        """Raises ``KernelStartFailed`` where no gateway answers for too long; how long others work is no matter."""
        taking = asyncio.create_task(self._places.take(label))
        try:
            while not taking.done():
                down = not any(host.up for host in able)
                await asyncio.wait([taking], timeout=PATIENCE_SECONDS)
                if down and not any(host.up for host in able) and not taking.done():
                    raise KernelStartFailed("; ".join(host.why for host in able))
        finally:
            if not taking.done():
                taking.cancel()
                await asyncio.wait([taking])
        return await taking

    async def _started(self, seat: Seat, gateway: Gateway, spec: Spec) -> RemoteKernel:
        await self._end_what_was_left(gateway)
        id = await gateway.start(spec.kernelspec, _environment(spec))
        self._notes.write(id, gateway.access.url)
        kernel = RemoteKernel(gateway, id, seat)
        seat.kernel_id = id
        self._alive.add(kernel)
        try:
            # How urgent it is, and how much memory it may have, is for whoever runs the gateway to say.
            await kernel.ready(self._side, replace(spec, nice=0, memory_limit=None))
        except BaseException:
            await kernel.shutdown()
            raise
        return kernel

    async def _end_what_was_left(self, gateway: Gateway) -> None:
        """Kernels of a server that was killed, which still run its steps, end before any runs here."""
        for id in self._left.pop(gateway.access.url, []):
            await gateway.end(id)
            self._notes.remove(id)

    def _unknown(self, label: str | None) -> str:
        known = ", ".join(sorted(host.name for host in self._places.hosts))
        if label is None:
            return f"no gateway serves workflows that ask for none: there are {known}, all of weight 0"
        return f"no gateway has the label {label!r} that the workflow asks for: there are {known}"

    def lost(self, host: Host, why: str) -> None:
        """Nothing is started there until it answers again."""
        if host.up:
            host.up, host.why = False, why
            self._log.warning("flownb: %s; it is used again once it answers", why)
            self._own(self._probe(host))

    async def _probe(self, host: Host) -> None:
        wait = FIRST_PROBE
        while not await host.source.is_up():
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_PROBE)
        with suppress(GatewayLost):
            await self._end_what_was_left(host.source)
        host.up, host.why = True, ""
        self._log.warning("flownb: gateway %r answers again", host.name)
        self._places.changed()

    def freed(self, host: Host, kernel: RemoteKernel | None, id: str, ended: bool) -> None:
        """A kernel that may still be there is ended when its gateway is back, or by the next server."""
        if kernel is not None:
            self._alive.discard(kernel)
            if ended:
                self._notes.remove(id)
            else:
                self._left.setdefault(host.source.access.url, []).append(id)
        self._places.give(host)

    def spare(self, host: Host, seat: Seat, wanted: Callable[[], None] | None) -> None:
        self._places.spare(host, seat, wanted)

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def expect(self, kernelspec: str) -> None:
        if any(host.source is self._local for host in self._places.hosts):
            await self._local.expect(kernelspec)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *(kernel.shutdown() for kernel in self._alive), return_exceptions=True)
        for host in self._places.hosts:
            if isinstance(host.source, Gateway):
                host.source.close()
        await self._local.close()
        self._notes.close()


def _environment(spec: Spec) -> dict[str, str]:
    """What a gateway is told: as Jupyter's own client, all that this server was given for kernels."""
    given = {name: value for name, value in os.environ.items() if name.startswith("KERNEL_")}
    with suppress(KeyError, OSError):  # a user without a name
        given.setdefault("KERNEL_USERNAME", getpass.getuser())
    return {**given, "KERNEL_WORKING_DIR": str(spec.cwd), **spec.environment}


class Seat(RemoteSlot):
    """The place of one kernel."""

    def __init__(self, gateways: Gateways, host: Host) -> None:
        self._gateways = gateways
        self._host = host
        self._left = False
        self.kernel_id = ""

    def lost(self, why: str) -> None:
        self._gateways.lost(self._host, why)

    def spare(self, wanted: Callable[[], None] | None) -> None:
        if not self._left:
            self._gateways.spare(self._host, self, wanted)

    def free(self, kernel: RemoteKernel, ended: bool) -> None:
        self._leave(kernel, ended)

    def leave(self) -> None:
        """There is no kernel in it, or none of a gateway's."""
        self._leave(None, True)

    def _leave(self, kernel: RemoteKernel | None, ended: bool) -> None:
        if not self._left:
            self.spare(None)
            self._left = True
            self._gateways.freed(self._host, kernel, self.kernel_id, ended)


class Notes:
    """Which kernels there are on gateways, in a file each, for the next server if this one is killed.

    Each server has a folder of its own, which is locked while it lives: what it leaves goes to whoever comes next.
    """

    def __init__(self, parent: Path) -> None:
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix="new-", dir=parent))
        self._lock = _locked(made)
        self._folder = made.rename(parent / f"server-{made.name}")
        for other in parent.glob("server-*"):
            if other != self._folder and (lock := _locked(other)) is not None:
                for file in other.glob("*.json"):
                    file.rename(self._folder / file.name)
                shutil.rmtree(other, ignore_errors=True)
                os.close(lock)

    def left(self) -> dict[str, list[str]]:
        """Ids by the URL of their gateway."""
        found: dict[str, list[str]] = {}
        for file in self._folder.glob("*.json"):
            with suppress(OSError, ValueError, KeyError):
                found.setdefault(json.loads(file.read_text())["url"], []).append(file.stem)
        return found

    def write(self, id: str, url: str) -> None:
        (self._folder / f"{id}.json").write_text(json.dumps({"url": url}))

    def remove(self, id: str) -> None:
        (self._folder / f"{id}.json").unlink(missing_ok=True)

    def close(self) -> None:
        """What is noted still is for whoever comes next."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _locked(folder: Path) -> int | None:
    """The lock of a folder, None where its server lives or another one was quicker; the system frees it at the end."""
    try:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock
