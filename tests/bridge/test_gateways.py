"""Kernels behind gateways: their ends, the ends of gateways, and who gets which."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flownb.bridge import websocket
from flownb.bridge.port import GatewayLost, KernelDied, KernelStartFailed, Spec
from tests.bridge.at_work import PYTHON, raised, remote_kernels, returned, run, step
from tests.bridge.test_kernel_side import install_other_version
from tests.support.asyncio import in_loop
from tests.support.gateways import JUPYTER_SERVER, KERNEL_GATEWAY, Process
from tests.support.tls import certificate

Running = Callable[[], Process]


@pytest.fixture
def another(folders: Callable[[], Path]) -> Any:
    """Starts gateways for one test alone."""
    made: list[Process] = []

    def start(command: tuple[str, ...] = KERNEL_GATEWAY, **environment: str) -> Process:
        made.append(Process(folders(), command, **environment).start())
        return made[-1]

    yield start
    for process in made:
        process.kill()


def test_a_kernel_that_dies_is_told_from_a_gateway_that_does(tmp_path: Path, gateway: Running) -> None:
    async def test() -> None:
        async with remote_kernels(tmp_path, gateway().access()) as made:
            kernel: Any = await made.start(Spec(PYTHON, tmp_path))
            assert "ended" in await raised(run(kernel, "import os; os._exit(7)"), KernelDied)
            assert "ended" in await kernel.died
            await kernel.shutdown()
            assert kernel._kernel not in gateway().kernels()
            assert await returned(await made.start(Spec(PYTHON, tmp_path)), "1") == 1

    asyncio.run(test())


def test_a_gateway_that_dies_is_left_for_another_and_used_again_when_it_is_back(
    tmp_path: Path, gateway: Running, another: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "LOST_SECONDS", 0.3)
    weak = another(JUPYTER_SERVER).wait()

    async def test() -> None:
        async with remote_kernels(
            tmp_path, weak.access(weight=5.0, labels=frozenset({"gpu"})), gateway().access()
        ) as made:
            kernel = await made.start(Spec(PYTHON, tmp_path))
            assert len(weak.kernels()) == 1
            running = kernel.execute(step("import time; time.sleep(60)"))
            await asyncio.to_thread(weak.kill)
            assert "gateway" in await raised(running.finished(), GatewayLost)
            other = await made.start(Spec(PYTHON, tmp_path))
            assert await returned(other, "1") == 1
            asked = asyncio.create_task(made.start(Spec(PYTHON, tmp_path, gateway="gpu")))
            await asyncio.to_thread(weak.start().wait)
            assert await returned(await asked, "2") == 2
            assert len(weak.kernels()) == 1

    asyncio.run(test())


def test_a_connection_that_drops_costs_no_result(tmp_path: Path, gateway: Running) -> None:
    async def test() -> None:
        async with remote_kernels(tmp_path, gateway().access()) as made:
            kernel: Any = await made.start(Spec(PYTHON, tmp_path))
            fifo = tmp_path / "fifo"
            os.mkfifo(fifo)
            running = kernel.execute(step(f"open({str(fifo)!r}).read(); 'done'"))
            kernel._websocket._connection.protocol.stream.close()
            await asyncio.to_thread(fifo.write_text, "go on")
            assert (await running.finished()).collected["exports"] == {"$return_value": "done"}
            before = kernel._websocket._connection
            before.protocol.stream.close()
            while kernel._websocket._connection is before:
                await asyncio.wait([kernel.died], timeout=0.01)
            assert await kernel.ask("reply", "Reply") == {}

    asyncio.run(test())


def test_a_kernel_that_became_another_while_nobody_listened_has_died(tmp_path: Path, gateway: Running) -> None:
    async def test() -> None:
        async with remote_kernels(tmp_path, gateway().access()) as made:
            kernel: Any = await made.start(Spec(PYTHON, tmp_path))
            kernel._websocket._process = "the session of a process before it"
            assert "ended" in await raised(run(kernel, "1"), KernelDied)

    asyncio.run(test())


def test_starts_wait_for_a_place_and_what_is_idle_makes_room(tmp_path: Path, gateway: Running) -> None:
    async def test() -> None:
        async with remote_kernels(tmp_path, gateway().access(slots=1)) as made:
            first = await made.start(Spec(PYTHON, tmp_path))
            second = asyncio.create_task(made.start(Spec(PYTHON, tmp_path)))
            await asyncio.wait([second], timeout=0.1)
            assert not second.done()
            first.dismiss()
            idle = await second
            idle.spare(idle.dismiss)
            third = await made.start(Spec(PYTHON, tmp_path))
            assert gateway().kernels() == [third._kernel]  # type: ignore[union-attr]

    asyncio.run(test())


@in_loop
async def test_labels_choose_and_one_that_nobody_has_is_an_error(tmp_path: Path, gateway: Running) -> None:
    large = gateway().access(name="large", weight=0.0, labels=frozenset({"gpu"}))
    local = replace(large, name="local", url="local", labels=frozenset(), weight=1.0)
    async with remote_kernels(tmp_path, large, local) as made:
        here, there = await made.start(Spec(PYTHON, tmp_path)), await made.start(Spec(PYTHON, tmp_path, gateway="gpu"))
        assert [type(kernel).__name__ for kernel in (here, there)] == ["LocalKernel", "RemoteKernel"]
        said = await raised(made.start(Spec(PYTHON, tmp_path, gateway="tpu")), KernelStartFailed)
        assert "'tpu'" in said
        assert "large, local" in said


@in_loop
async def test_a_folder_that_is_not_there_is_a_warning_and_a_wrong_token_an_error(
    tmp_path: Path, gateway: Running
) -> None:
    async with remote_kernels(tmp_path, gateway().access()) as made:
        kernel = await made.start(Spec(PYTHON, tmp_path / "missing"))
        assert await returned(kernel, "1") == 1
        (warning,) = kernel.warnings
        assert str(tmp_path / "missing") in warning
    wrong = gateway().access(headers={"Authorization": "token wr0ng"})
    async with remote_kernels(tmp_path, wrong) as made:
        said = await raised(made.start(Spec(PYTHON, tmp_path)), KernelStartFailed)
        assert "does its token fit?" in said
        assert "wr0ng" not in said + repr(wrong)


@in_loop
async def test_kernels_of_a_server_that_was_killed_end_before_others_begin(tmp_path: Path, gateway: Running) -> None:
    async with remote_kernels(tmp_path, gateway().access()) as killed:
        left: Any = await killed.start(Spec(PYTHON, tmp_path))
        killed._notes.close()  # as the system does
        async with remote_kernels(tmp_path, gateway().access()) as next_server:
            kernel: Any = await next_server.start(Spec(PYTHON, tmp_path))
            assert gateway().kernels() == [kernel._kernel]
        assert left.died is not None


@in_loop
async def test_a_kernel_with_another_version_is_sent_ours(tmp_path: Path, another: Any) -> None:
    install_other_version(tmp_path / "site")
    (tmp_path / "cwd").mkdir()
    older = another(PYTHONPATH=str(tmp_path / "site")).wait()
    async with remote_kernels(tmp_path, older.access()) as made:
        kernel = await made.start(Spec(PYTHON, tmp_path / "cwd"))
        assert (await returned(kernel, "import flownb; flownb.__file__")).endswith("flownb.zip/flownb/__init__.py")


@in_loop
async def test_tls_is_demanded_and_checked(tmp_path: Path, another: Any) -> None:
    certfile, keyfile = certificate(tmp_path)
    server = another((*JUPYTER_SERVER, f"--certfile={certfile}", f"--keyfile={keyfile}"))
    server.trusts(certfile).wait()
    async with remote_kernels(tmp_path, server.access(ca_certs=str(certfile))) as made:
        assert await returned(await made.start(Spec(PYTHON, tmp_path)), "1") == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flownb.bridge.gateways.PATIENCE_SECONDS", 0.1)
        async with remote_kernels(tmp_path, server.access()) as made:
            assert "certificate verify failed" in await raised(made.start(Spec(PYTHON, tmp_path)), KernelStartFailed)
