"""Spare kernels: ready when needed, replaced when dead, ended in the end."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from flownb.bridge.local import LocalKernel
from flownb.bridge.pool import Pool
from flownb.bridge.port import KernelStartFailed, Spec
from tests.bridge.at_work import PYTHON, children, kernels, raised, returned
from tests.support.asyncio import in_loop


@asynccontextmanager
async def pool(folder: Path, size: int) -> AsyncIterator[Pool[LocalKernel]]:
    async with kernels(folder) as source:
        made = Pool(source, size)
        yield made
        await made.close()


async def spares(made: Pool[LocalKernel]) -> list[LocalKernel]:
    """The kernels that wait, once they are ready."""
    return list(await asyncio.gather(*made._ready[PYTHON]))


def process(kernel: LocalKernel) -> int:
    provisioner = kernel._manager.provisioner
    assert isinstance(provisioner, LocalProvisioner)
    assert provisioner.pid is not None
    return provisioner.pid


@in_loop
async def test_a_ready_kernel_is_handed_out_in_its_folder_and_replaced(tmp_path: Path) -> None:
    before = children()
    async with pool(tmp_path, 1) as made:
        assert children() == before
        await made.start(Spec(PYTHON, tmp_path))
        [spare] = await spares(made)
        folder = tmp_path / "other"
        folder.mkdir()
        taken = await made.start(Spec(PYTHON, folder, environment={"A": "1"}))
        assert taken is spare
        assert await returned(taken, "import os; [os.getcwd(), os.environ['A']]") == [str(folder), "1"]
        [another] = await spares(made)
        assert another is not spare
        assert len(children() - before) == 3
    assert children() == before


@in_loop
async def test_a_spare_that_died_is_passed_over(tmp_path: Path) -> None:
    async with pool(tmp_path, 2) as made:
        await made.start(Spec(PYTHON, tmp_path))
        dead, alive = await spares(made)
        os.kill(process(dead), signal.SIGKILL)
        await dead.died
        assert await made.start(Spec(PYTHON, tmp_path)) is alive


@in_loop
async def test_a_spare_that_is_still_starting_is_waited_for(tmp_path: Path) -> None:
    async with kernels(tmp_path) as source:
        source._starting = asyncio.Semaphore(1)
        made = Pool(source, 1)
        await made.start(Spec(PYTHON, tmp_path))
        await spares(made)
        async with source._starting:
            await made.start(Spec(PYTHON, tmp_path))
            [starting] = made._ready[PYTHON]
            leaving = asyncio.create_task(made.start(Spec(PYTHON, tmp_path)))
            await asyncio.sleep(0)
            leaving.cancel()
            await asyncio.wait([leaving])
            assert list(made._ready[PYTHON]) == [starting]
        assert await made.start(Spec(PYTHON, tmp_path)) is await starting
        await made.close()


@in_loop
async def test_an_unknown_kernelspec_fails_each_start_and_no_other(tmp_path: Path) -> None:
    async with pool(tmp_path, 1) as made:
        for _ in range(2):
            assert "unknown" in await raised(made.start(Spec("unknown", tmp_path)), KernelStartFailed)
        assert await returned(await made.start(Spec(PYTHON, tmp_path)), "1") == 1


@in_loop
async def test_closing_ends_all_those_that_are_starting_too(tmp_path: Path) -> None:
    before = children()
    async with kernels(tmp_path) as source:
        made = Pool(source, 3)
        await made.start(Spec(PYTHON, tmp_path))
        await asyncio.wait(made._ready[PYTHON], return_when=asyncio.FIRST_COMPLETED)
        await made.close()
        assert children() == before


@in_loop
async def test_a_pool_of_none_starts_what_is_asked_for(tmp_path: Path) -> None:
    before = children()
    async with pool(tmp_path, 0) as made:
        await made.start(Spec(PYTHON, tmp_path))
        assert len(children() - before) == 1
