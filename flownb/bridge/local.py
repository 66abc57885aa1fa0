"""Kernels on this machine, by ``jupyter_client``."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import zmq
import zmq.asyncio
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

from flownb.bridge.channels import Channels
from flownb.bridge.conversation import Conversation
from flownb.bridge.death import death, describe
from flownb.bridge.forkservers import ForkServers
from flownb.bridge.kernel_side import KernelSide
from flownb.bridge.port import KernelDied, KernelStartFailed, Spec
from flownb.bridge.provisioner import ForkProvisioner, provision
from flownb.bridge.sockets import SocketFolder

START_SECONDS = 60.0
LAST_WORDS_SECONDS = 0.1
"""What a kernel sent before its end is on its way for less than that."""
ARGUMENTS = ["--HistoryManager.enabled=False", "--IPythonKernel._execute_sleep=0"]


class LocalKernel(Conversation):
    """A kernel process of our own, with nobody else on its channels."""

    def __init__(self, manager: AsyncKernelManager, log: Path, gone: Callable[[LocalKernel], None]) -> None:
        self._opened = Channels(manager)
        super().__init__(self._opened)
        self._manager = manager
        self._log = log
        self._gone = gone
        self._ending: asyncio.Task[None] | None = None
        self._killed = False
        self._ended: list[Callable[[], None]] = []
        self.died: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._watch = asyncio.create_task(self._watched())

    async def _watched(self) -> None:
        assert self._manager.provisioner is not None
        status = await death(self._manager.provisioner)
        self._killed = status is not None and status < 0
        how = describe(status)
        await asyncio.sleep(LAST_WORDS_SECONDS)
        self._channels.fail(KernelDied(f"the kernel died: {how}"))
        self.died.set_result(how)

    async def ready(self) -> None:
        """Raises ``KernelStartFailed``, or ``KernelDied`` where somebody killed it."""
        self._opened.open()
        try:
            await asyncio.wait_for(self._channels.ready(), START_SECONDS)
        except (KernelDied, TimeoutError) as error:
            if self._killed:
                raise
            why = str(error) or f"it did not answer within {START_SECONDS:.0f} s"
            raise KernelStartFailed(f"{why}{self._last_words()}") from None

    @property
    def warnings(self) -> tuple[str, ...]:
        return ()

    def spare(self, wanted: Callable[[], None] | None) -> None:
        """There is no limit to local kernels."""

    def _last_words(self) -> str:
        words = self._log.read_text(errors="replace").strip().splitlines()[-5:]
        return "; it said: " + " | ".join(words) if words else ""

    async def interrupt(self) -> None:
        with suppress(Exception):
            await self._manager.interrupt_kernel()

    async def shutdown(self) -> None:
        await asyncio.shield(self._end_once())

    def dismiss(self) -> None:
        self._end_once()

    def on_end(self, ended: Callable[[], None]) -> None:
        """``ended`` is called once there is nothing left of the kernel."""
        self._ended.append(ended)

    def _end_once(self) -> asyncio.Task[None]:
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())
        return self._ending

    async def _end(self) -> None:
        self._watch.cancel()
        self._channels.fail(KernelDied("the kernel was shut down"))
        await self._channels.close()
        await _end(self._manager)
        self._log.unlink(missing_ok=True)
        self._gone(self)
        for ended in self._ended:
            ended()


async def _end(manager: AsyncKernelManager) -> None:
    """End the process, where one has begun, and remove its sockets."""
    with suppress(Exception):
        await manager.shutdown_kernel(now=True)


class LocalKernels:
    """Starts kernels on this machine; as many at a time as there are cores, since more only slow each other."""

    def __init__(self, specs: KernelSpecManager, folder: Path, preload: Sequence[str] | None = None) -> None:
        """``folder`` keeps what kernels need of flownb from one start to the next.

        Kernels are forked where that can be done, from servers that have imported ``preload``; unless it is None.
        """
        self._specs = specs
        self._preload = preload
        self._side = KernelSide(folder)
        self._context = zmq.asyncio.Context()
        self._context.setsockopt(zmq.RECONNECT_IVL, 5)
        self._sockets = SocketFolder(folder / "socket-folders")
        self._servers = ForkServers(self._sockets.path)
        self._starting = asyncio.Semaphore(os.cpu_count() or 1)
        self._alive: set[LocalKernel] = set()

    async def start(self, spec: Spec) -> LocalKernel:
        """A kernel that is ready for cells in its folder; raises ``KernelStartFailed`` or ``KernelDied``."""
        async with self._starting:
            kernel = await self._launch(spec.kernelspec)
            try:
                await kernel.ready()
                await kernel.prepare(self._side, spec)
            except BaseException:
                await kernel.shutdown()
                raise
        return kernel

    async def expect(self, kernelspec: str) -> None:
        with suppress(Exception):  # whoever starts such a kernel learns what is wrong
            if provisioner := self._provisioned(self._manager(kernelspec, "expected")):
                await provisioner.warm_up()

    def _manager(self, kernelspec: str, name: str) -> AsyncKernelManager:
        return AsyncKernelManager(
            kernel_name=kernelspec,
            kernel_spec_manager=self._specs,
            context=self._context,
            connection_file=str(self._sockets.path / f"{name}.json"),
            transport="ipc" if os.name == "posix" else "tcp",
        )

    def _provisioned(self, manager: AsyncKernelManager) -> ForkProvisioner | None:
        return None if self._preload is None else provision(manager, self._servers, self._preload)

    async def _launch(self, kernelspec: str) -> LocalKernel:
        name = uuid4().hex[:12]
        log = self._sockets.path / f"{name}.log"
        manager = self._manager(kernelspec, name)
        try:
            self._provisioned(manager)
            with log.open("wb") as output:
                # In a folder with no modules in it: the working directory is on the path of a kernel.
                folder = str(self._sockets.path)
                await manager.start_kernel(extra_arguments=ARGUMENTS, cwd=folder, stdout=output, stderr=output)
        except BaseException as error:
            await _end(manager)
            log.unlink(missing_ok=True)
            if not isinstance(error, Exception):  # cancelled, maybe after the process has begun
                raise
            # Whatever a provisioner raises: no such kernelspec, no such program.
            raise KernelStartFailed(f"kernelspec {kernelspec!r} cannot be started: {error}") from None
        kernel = LocalKernel(manager, log, self._alive.discard)
        self._alive.add(kernel)
        return kernel

    async def close(self) -> None:
        await asyncio.gather(*(kernel.shutdown() for kernel in tuple(self._alive)))
        await asyncio.to_thread(self._servers.close)
        self._context.destroy(linger=0)
        self._sockets.remove()
