"""Kernels on this machine, by ``jupyter_client``."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import zmq
import zmq.asyncio
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

from flownb import __version__
from flownb.bridge.channels import Channels, Request
from flownb.bridge.death import death, describe
from flownb.bridge.kernel_side import KernelSide
from flownb.bridge.outputs import Outputs
from flownb.bridge.port import AskFailed, Cell, KernelDied, KernelStartFailed, Ran, Spec, StepTimeout
from flownb.bridge.replies import read_reply
from flownb.bridge.sockets import SocketFolder
from flownb.core.jsonvalue import dumps
from flownb.core.model import Error, Json
from flownb.core.reply import EXPRESSION

START_SECONDS = 60.0
LAST_OUTPUTS_SECONDS = 4.0
"""IOPub may lose the word that a cell is idle: after its reply we wait for it no longer than this."""

INTERRUPT_SECONDS = 5.0
"""A cell that timed out is given this long to end by an interrupt."""

ARGUMENTS = ["--HistoryManager.enabled=False", "--IPythonKernel._execute_sleep=0"]


class LocalRunning:
    """A cell under way on a local kernel."""

    def __init__(self, kernel: LocalKernel, cell: Cell) -> None:
        self._kernel = kernel
        self._cell = cell
        self._collected = Outputs()
        self._began = time.monotonic()
        self._ended: float | None = None
        self._request = kernel.send(cell.source, COLLECT, cell.context, self._publish)
        self._request.reply.add_done_callback(self._note_end)

    @property
    def outputs(self) -> list[Json]:
        return self._collected.so_far

    @property
    def compute_ms(self) -> int:
        ended = time.monotonic() if self._ended is None else self._ended
        return round((ended - self._began) * 1000)

    def _note_end(self, reply: asyncio.Future[Any]) -> None:
        self._ended = time.monotonic()

    def _publish(self, kind: str, content: Any) -> None:
        if kind == "flownb_pause_asked":
            self._cell.on_pause_asked(json.loads(content["call"]))
        else:
            self._collected.take(kind, content)

    async def finished(self) -> Ran:
        timeout = self._cell.timeout
        done, _ = await asyncio.wait([self._request.reply], timeout=timeout / 1000 if timeout else None)
        if not done:
            await self._stop()
            raise StepTimeout(f"the step ran longer than its timeout of {timeout} ms")
        reply = self._request.reply.result()["content"]
        with suppress(TimeoutError):
            await asyncio.wait_for(self._request.idle.wait(), LAST_OUTPUTS_SECONDS)
        self._kernel.forget(self._request)
        if reply["status"] != "ok":
            error = Error(reply["ename"], reply["evalue"], tuple(reply["traceback"]))
            return Ran(self.outputs, error, None, self.compute_ms)
        return Ran(self.outputs, None, read_reply(reply), self.compute_ms)

    async def _stop(self) -> None:
        """Let the author's own clean-up run, if it comes to an end."""
        await self._kernel.interrupt()
        await asyncio.wait([self._request.reply], timeout=INTERRUPT_SECONDS)


class LocalKernel:
    """A kernel process of our own, with nobody else on its channels."""

    def __init__(self, manager: AsyncKernelManager, log: Path, gone: Callable[[LocalKernel], None]) -> None:
        self._manager = manager
        self._log = log
        self._gone = gone
        self._channels = Channels(manager)
        self._ending: asyncio.Task[None] | None = None
        self._killed = False
        self.died: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._watch = asyncio.create_task(self._watched())

    async def _watched(self) -> None:
        assert self._manager.provisioner is not None
        status = await death(self._manager.provisioner)
        self._killed = status is not None and status < 0
        how = describe(status)
        self._channels.fail(KernelDied(f"the kernel died: {how}"))
        self.died.set_result(how)

    async def ready(self) -> None:
        """Raises ``KernelStartFailed``, or ``KernelDied`` where somebody killed it."""
        self._channels.open()
        try:
            await asyncio.wait_for(self._channels.ready(), START_SECONDS)
        except (KernelDied, TimeoutError) as error:
            if self._killed:
                raise
            why = str(error) or f"it did not answer within {START_SECONDS:.0f} s"
            raise KernelStartFailed(f"{why}{self._last_words()}") from None

    def _last_words(self) -> str:
        words = self._log.read_text(errors="replace").strip().splitlines()[-5:]
        return "; it said: " + " | ".join(words) if words else ""

    def execute(self, cell: Cell) -> LocalRunning:
        return LocalRunning(self, cell)

    def send(
        self, code: str, expression: str, context: str | None, publish: Any = lambda kind, content: None
    ) -> Request:
        """Send code, with an expression of ours that is evaluated after it unless it raised."""
        content = {
            "code": code,
            "silent": context is None,
            "store_history": context is not None,
            "user_expressions": {EXPRESSION: expression},
            "allow_stdin": False,
            "stop_on_error": True,
        }
        metadata = {"flownb": context} if context is not None else {}
        return self._channels.send("execute_request", content, metadata, publish)

    def forget(self, request: Request) -> None:
        self._channels.forget(request)

    async def ask(self, module: str, function: str, *arguments: str) -> Json:
        return await self.evaluate(call(module, function, *arguments))

    async def evaluate(self, expression: str) -> Json:
        request = self.send("", expression, None)
        reply = (await request.reply)["content"]
        self.forget(request)
        if reply["status"] != "ok":
            raise AskFailed("NotRun", "the cell before it raised")
        return read_reply(reply)

    async def interrupt(self) -> None:
        with suppress(Exception):
            await self._manager.interrupt_kernel()

    async def shutdown(self) -> None:
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())
        await asyncio.shield(self._ending)

    async def _end(self) -> None:
        self._watch.cancel()
        self._channels.fail(KernelDied("the kernel was shut down"))
        await self._channels.close()
        await _end(self._manager)
        self._log.unlink(missing_ok=True)
        self._gone(self)


async def _end(manager: AsyncKernelManager) -> None:
    """End the process, where one has begun, and remove its sockets."""
    with suppress(Exception):
        await manager.shutdown_kernel(now=True)


def call(module: str, function: str, *arguments: str) -> str:
    """A Python expression that calls a function of flownb's kernel side, whatever names the author has taken."""
    written = ", ".join(repr(argument) for argument in arguments)
    return f"__import__('flownb.kernel.{module}', fromlist=['{function}']).{function}({written})"


COLLECT = call("step", "collect")


class LocalKernels:
    """Starts kernels on this machine; as many at a time as there are cores, since more only slow each other."""

    def __init__(self, specs: KernelSpecManager, folder: Path) -> None:
        """``folder`` keeps what kernels need of flownb from one start to the next."""
        self._specs = specs
        self._side = KernelSide(folder)
        self._context = zmq.asyncio.Context()
        self._context.setsockopt(zmq.RECONNECT_IVL, 5)
        self._sockets = SocketFolder(folder / "sockets")
        self._starting = asyncio.Semaphore(os.cpu_count() or 1)
        self._alive: set[LocalKernel] = set()

    async def start(self, spec: Spec) -> LocalKernel:
        """A kernel that is ready for cells in its folder; raises ``KernelStartFailed`` or ``KernelDied``."""
        kernel = await self.spare(spec.kernelspec)
        await self.settle(kernel, spec)
        return kernel

    async def spare(self, kernelspec: str) -> LocalKernel:
        """A kernel that belongs to nobody yet."""
        async with self._starting:
            kernel = await self._launch(kernelspec)
            try:
                await kernel.ready()
            except BaseException:
                await kernel.shutdown()
                raise
        return kernel

    async def settle(self, kernel: LocalKernel, spec: Spec) -> None:
        """Give a spare kernel its folder and flownb's kernel side; raises ``KernelStartFailed`` or ``KernelDied``."""
        said = {
            "version": __version__,
            "cwd": str(spec.cwd),
            "memory_limit": spec.memory_limit,
            "bind_pd": True,
            "environment": dict(spec.environment),
        }
        try:
            await self._side.boot(kernel.evaluate, spec.kernelspec, call("boot", "prepare", dumps(said)))
        except BaseException:
            await kernel.shutdown()
            raise

    async def _launch(self, kernelspec: str) -> LocalKernel:
        name = self._sockets.path / uuid4().hex[:12]
        log = name.with_suffix(".log")
        manager = AsyncKernelManager(
            kernel_name=kernelspec,
            kernel_spec_manager=self._specs,
            context=self._context,
            connection_file=str(name.with_suffix(".json")),
            transport="ipc" if os.name == "posix" else "tcp",
        )
        try:
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
        self._context.destroy(linger=0)
        self._sockets.remove()
