"""Forked kernels for tests, through ``jupyter_client`` alone."""

from __future__ import annotations

import os
from ast import literal_eval
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

from flownb.bridge.forked import readable
from flownb.bridge.forkserver import ForkServer
from flownb.bridge.forkservers import ForkServers
from flownb.bridge.provisioner import ForkProvisioner, provision
from tests.bridge.at_work import PYTHON

ARGUMENTS = ["--HistoryManager.enabled=False"]

Message = dict[str, Any]

_numbers = count()


class ForkedKernel:
    """A kernel under test; ``forked`` says whether it was."""

    def __init__(self, manager: AsyncKernelManager, log: Path) -> None:
        self.manager = manager
        self.log = log
        self.client = manager.client(context=manager.context)
        self.client.start_channels(stdin=False, hb=False)

    @property
    def provisioner(self) -> Any:
        return self.manager.provisioner

    @property
    def forked(self) -> bool:
        return isinstance(self.provisioner, ForkProvisioner) and self.provisioner.forked is not None

    async def run(
        self, code: str, expression: str = "None", publish: Callable[[Message], None] = lambda _: None
    ) -> Any:
        """Run a cell, and return what ``expression`` then gives, which has to be a literal."""
        asked = {"it": expression}
        sent = self.client.execute_interactive(code, user_expressions=asked, allow_stdin=False, output_hook=publish)
        reply = (await sent)["content"]
        assert reply["status"] == "ok", reply
        assert reply["user_expressions"]["it"]["status"] == "ok", reply
        return literal_eval(reply["user_expressions"]["it"]["data"]["text/plain"])

    async def value(self, expression: str) -> Any:
        return await self.run("", expression)

    async def ended(self) -> int:
        status: int = await self.provisioner.forked.ended()
        return status


async def serving(
    servers: ForkServers, preload: Sequence[str] = (), name: str = PYTHON, specs: KernelSpecManager | None = None
) -> ForkServer:
    """The fork server for such kernels, once it serves or has refused to."""
    manager = AsyncKernelManager(kernel_name=name, kernel_spec_manager=specs or KernelSpecManager())
    provisioner = provision(manager, servers, preload)
    assert provisioner is not None
    server = await provisioner.warm_up()
    assert server is not None
    await server.started()
    return server


@asynccontextmanager
async def kernel(
    folder: Path,
    servers: ForkServers | None,
    preload: Sequence[str] = (),
    name: str = PYTHON,
    specs: KernelSpecManager | None = None,
    wait: bool = True,
    **start: Any,
) -> AsyncIterator[ForkedKernel]:
    """A kernel that has ended afterwards; an ordinary one without ``servers``."""
    number = next(_numbers)
    log, file = folder / f"{number}.log", str(folder / f"{number}.json")
    context = zmq.asyncio.Context()
    context.setsockopt(zmq.RECONNECT_IVL, 5)
    where = {"transport": "ipc", "connection_file": file, "context": context}
    manager = AsyncKernelManager(kernel_name=name, kernel_spec_manager=specs or KernelSpecManager(), **where)
    if servers is not None:
        provision(manager, servers, preload)
    # ipykernel leaves out some of its work in tests.
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    usual = {"cwd": str(folder), "extra_arguments": ARGUMENTS, "env": environment}
    with log.open("wb") as output, closing(context):
        try:
            await manager.start_kernel(**{"stdout": output, "stderr": output, **usual, **start})
            made = ForkedKernel(manager, log)
            try:
                if wait:
                    await made.client.get_iopub_msg(timeout=30)  # its welcome: what is sent from now on is answered
                yield made
            finally:
                made.client.stop_channels()
        finally:  # a start that is cancelled may have made a process
            await manager.shutdown_kernel(now=True)


@contextmanager
def closing(context: zmq.asyncio.Context) -> Iterator[None]:
    try:
        yield
    finally:
        context.destroy(linger=0)


def alive(pid: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


async def gone(pid: int) -> None:
    """Wait for the end of a process that is not a child."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    await readable(handle)
    os.close(handle)
