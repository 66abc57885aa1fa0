"""Parked kernels: ready when needed, replaced when dead, ended in the end."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from flownb.bridge.local import LocalKernel
from flownb.bridge.pool import MOST, Pool, _key
from flownb.bridge.port import KernelStartFailed, Spec
from tests.bridge.at_work import PYTHON, children, kernels, raised, returned
from tests.support.asyncio import in_loop


@asynccontextmanager
async def pool(folder: Path, size: int) -> AsyncIterator[Pool[LocalKernel]]:
    async with kernels(folder) as source:
        made = Pool(source, size)
        yield made
        await made.close()


async def spares(made: Pool[LocalKernel], spec: Spec) -> list[LocalKernel]:
    """The kernels that are parked for ``spec``, once nobody else is waiting and they are ready."""
    made._fill()
    return list(await asyncio.gather(*made._parked[_key(spec)]))


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
        spec = Spec(PYTHON, tmp_path, environment={"A": "1"})
        await made.start(spec)
        [spare] = await spares(made, spec)
        elsewhere = await made.start(Spec(PYTHON, tmp_path))
        assert elsewhere is not spare
        taken = await made.start(spec)
        assert taken is spare
        assert await returned(taken, "import os; [os.getcwd(), os.environ['A']]") == [str(tmp_path), "1"]
        [another] = await spares(made, spec)
        assert another not in (spare, elsewhere)
    assert children() == before


@in_loop
async def test_a_folder_that_was_replaced_meanwhile_is_entered_anew(tmp_path: Path) -> None:
    spec = Spec(PYTHON, tmp_path / "work")
    spec.cwd.mkdir()
    async with pool(tmp_path, 1) as made:
        await made.start(spec)
        [spare] = await spares(made, spec)
        spec.cwd.rename(tmp_path / "old")
        spec.cwd.mkdir()
        (spec.cwd / "new.txt").write_text("new")
        assert await made.start(spec) is spare
        assert await returned(spare, "open('new.txt').read()") == "new"


@in_loop
async def test_of_many_folders_those_used_last_have_one(tmp_path: Path) -> None:
    specs = [Spec(PYTHON, tmp_path, environment={"A": str(at)}) for at in range(MOST + 2)]
    async with pool(tmp_path, 1) as made:
        for spec in specs:
            await made.start(spec)
            await spares(made, spec)
        assert [*made._parked] == [_key(spec) for spec in specs[2:]]


@in_loop
async def test_a_spare_that_died_is_passed_over(tmp_path: Path) -> None:
    async with pool(tmp_path, 3) as made:
        spec = Spec(PYTHON, tmp_path)
        await made.start(spec)
        dead, killed, alive = await spares(made, spec)
        os.kill(process(dead), signal.SIGKILL)
        await dead.died
        os.kill(process(killed), signal.SIGKILL)
        assert await made.start(spec) is alive


@in_loop
async def test_a_spare_that_is_still_starting_is_waited_for(tmp_path: Path) -> None:
    async with kernels(tmp_path) as source:
        source._starting = asyncio.Semaphore(1)
        made, spec = Pool(source, 1), Spec(PYTHON, tmp_path)
        await made.start(spec)
        async with source._starting:
            made._fill()
            [starting] = made._parked[_key(spec)]
            leaving = asyncio.create_task(made.start(spec))
            await asyncio.sleep(0)
            leaving.cancel()
            await asyncio.wait([leaving])
            assert list(made._parked[_key(spec)]) == [starting]
        assert await made.start(spec) is await starting
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
        made, spec = Pool(source, 3), Spec(PYTHON, tmp_path)
        await made.start(spec)
        made._fill()
        await asyncio.wait(made._parked[_key(spec)], return_when=asyncio.FIRST_COMPLETED)
        await made.close()
        assert children() == before


@in_loop
async def test_a_pool_of_none_starts_what_is_asked_for(tmp_path: Path) -> None:
    before = children()
    async with pool(tmp_path, 0) as made:
        await made.start(Spec(PYTHON, tmp_path))
        assert len(children() - before) == 1
