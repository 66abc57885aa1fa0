"""Real kernels for a test: where they come from, cells for them, and what is left of them."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.kernelspec import KernelSpecManager

from flownb.bridge.gateway import Access
from flownb.bridge.gateways import Gateways
from flownb.bridge.local import LocalKernel, LocalKernels
from flownb.bridge.port import Cell, Ran, Spec, Talks
from flownb.core.jsonvalue import dumps
from tests.support.gateways import Process

PYTHON = "python3"


@asynccontextmanager
async def kernels(folder: Path, specs: Path | None = None) -> AsyncIterator[LocalKernels]:
    """Kernels that have all ended afterwards; ``specs`` is a folder of kernelspecs besides the usual ones."""
    manager = KernelSpecManager()
    if specs is not None:
        manager.kernel_dirs = [str(specs), *manager.kernel_dirs]
    made = LocalKernels(manager, folder)
    try:
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def one_kernel(folder: Path, **spec: Any) -> AsyncIterator[LocalKernel]:
    """A kernel that works in ``folder``."""
    async with kernels(folder) as made:
        yield await made.start(Spec(PYTHON, folder, **spec))


@asynccontextmanager
async def remote_kernels(folder: Path, *accesses: Access) -> AsyncIterator[Gateways]:
    """Kernels on gateways that have all ended afterwards."""
    made = Gateways(accesses, folder, LocalKernels(KernelSpecManager(), folder), logging.getLogger("flownb"))
    try:
        yield made
    finally:
        await made.close()


def with_kernel(test: Callable[[Any], Coroutine[Any, Any, None]]) -> Callable[[Path, str, Callable[[], Process]], None]:
    """A test of one kernel, here and behind a gateway, in an event loop of its own."""

    async def run(tmp_path: Path, access: Access | None) -> None:
        if access is None:
            async with one_kernel(tmp_path) as kernel:
                await test(kernel)
        else:
            async with remote_kernels(tmp_path, access) as made:
                await test(await made.start(Spec(PYTHON, tmp_path)))

    @pytest.mark.parametrize("place", ["local", "gateway"])
    def run_test(tmp_path: Path, place: str, gateway: Callable[[], Process]) -> None:
        asyncio.run(run(tmp_path, gateway().access() if place == "gateway" else None))

    return run_test


def step(source: str, name: str = "code", **options: Any) -> Cell:
    """A cell as the server sends it."""
    told = {
        "mode": "step",
        "step": name,
        "links": {
            f"{action}_url": f"http://host/{action}/s3cret-{action}" for action in ("resume", "cancel", "review")
        },
        "steps": {"trigger": {"event": {"body": None}, "context": {}}},
        "context": {"id": "1", "trace_id": "x", "test": False, "run": {"runs": 1, "context": None}},
        "parameters": None,
        "max_export_bytes": 1_000_000,
    }
    return Cell(source, dumps(told), **options)


async def run(kernel: Talks, source: str, **options: Any) -> Ran:
    return await kernel.execute(step(source, **options)).finished()


async def returned(kernel: Talks, source: str) -> Any:
    """What a step returns that goes well."""
    ran = await run(kernel, source)
    assert ran.error is None, ran.error
    return ran.collected["exports"].get("$return_value")


async def raised(awaited: Awaitable[Any], kind: type[BaseException]) -> str:
    """The message of the exception that comes."""
    try:
        await awaited
    except kind as error:
        return str(error)
    raise AssertionError(f"no {kind.__name__}")


def kernelspec(folder: Path, name: str, *argv: str, **environment: str) -> None:
    """Write a kernelspec into a folder of kernelspecs."""
    (folder / name).mkdir(parents=True)
    spec = {"argv": [*argv], "display_name": name, "language": "python", "env": environment}
    (folder / name / "kernel.json").write_text(json.dumps(spec))


def children() -> set[int]:
    """The processes that this one has started and not seen the end of."""
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return {int(pid) for pid in listed.split()}
