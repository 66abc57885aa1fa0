"""How a forked kernel ends is known at once, whoever ended it; none outlives its fork server or its owner."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flownb import faults
from flownb.bridge.death import death
from flownb.bridge.forkservers import PRELOAD, ForkServers
from tests.bridge.forks import Message, alive, gone, kernel, serving
from tests.support.asyncio import in_loop

Folders = Callable[[], Path]

OWNER = """
import asyncio, json, signal, sys
from pathlib import Path
from typing import Any
from flownb.bridge.forkservers import ForkServers
from tests.bridge.forks import kernel, serving

async def main():
    servers = ForkServers()
    server = await serving(servers)
    async with kernel(Path(sys.argv[1]), servers) as made:
        assert made.forked
        pids = [server._process.pid, await made.value("__import__('os').getpid()")]
        print(json.dumps([*pids, str(server._folder)]), flush=True)
        await asyncio.Event().wait()

signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background is deaf to it
asyncio.run(main())
"""
FORKS = """import os, time
        child = os.fork()
        if child == 0:
            time.sleep(60)
        print(child, flush=True)
        await asyncio.Event()"""

EARLY = """provisioner = __import__('flownb.bridge.provisioner').bridge.provisioner
    from jupyter_client.manager import AsyncKernelManager
    server = await provisioner.provision(AsyncKernelManager(kernel_name="python3"), servers, []).warm_up()
    print(json.dumps([server._process.pid, str(server._folder)]), flush=True)
    import os, signal
    os.kill(os.getpid(), signal.SIGKILL)"""


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("import os; os._exit(7)", 7),
        ("import ctypes; ctypes.string_at(0)", -signal.SIGSEGV),
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL),
        ("import os; os.abort()", -signal.SIGABRT),
    ],
    ids=["exit", "segfault", "kill", "abort"],
)
@in_loop
async def test_an_end_in_a_cell_is_told(folders: Folders, servers: ForkServers, code: str, status: int) -> None:
    async with kernel(folders(), servers, PRELOAD) as made:
        watching = asyncio.create_task(death(made.provisioner))
        made.client.execute(code)
        assert await watching == status
        assert await made.provisioner.poll() == status
        assert not await made.manager.is_alive()
        await made.provisioner.send_signal(signal.SIGINT)  # to nobody


@in_loop
async def test_a_start_that_fails_says_why_in_the_log_of_the_kernel(folders: Folders, servers: ForkServers) -> None:
    wrong = ["--IPKernelApp.capture_fd_output=maybe"]
    async with kernel(folders(), servers, PRELOAD, wait=False, extra_arguments=wrong) as made:
        assert await made.ended() == 1
        assert "expected a boolean, not the str 'maybe'" in made.log.read_text()


@in_loop
async def test_an_ordinary_end_is_that_of_any_python(folders: Folders, servers: ForkServers) -> None:
    folder = folders()
    async with kernel(folder, servers, PRELOAD) as made:
        await made.run("import atexit; atexit.register(lambda: open('left', 'w').write('orderly'))")
        ending = asyncio.create_task(death(made.provisioner))
        await made.manager.shutdown_kernel()
        assert await ending == 0
        assert made.provisioner.pid is not None
        assert not made.manager.has_kernel
    assert (folder / "left").read_text() == "orderly"


@in_loop
async def test_an_interrupt_reaches_the_cell_and_what_it_has_started(folders: Folders, servers: ForkServers) -> None:
    async with kernel(folders(), servers, PRELOAD) as made:
        for code in ("import time; time.sleep(60)", "import subprocess; subprocess.run(['sleep', '60'])"):
            begun = asyncio.Event()

            def heard(message: Message, begun: asyncio.Event = begun) -> None:
                if "begun" in message["content"].get("text", ""):
                    begun.set()

            asked = made.client.execute_interactive(f"print('begun', flush=True)\n{code}", output_hook=heard)
            running = asyncio.create_task(asked)
            await begun.wait()
            await made.manager.interrupt_kernel()
            assert (await running)["content"]["ename"] == "KeyboardInterrupt"
        assert await made.value("1") == 1


@in_loop
async def test_a_restart_is_another_process(folders: Folders, servers: ForkServers) -> None:
    async with kernel(folders(), servers, PRELOAD) as made:
        before = await made.run("x = 1", "__import__('os').getpid()")
        for now in (True, False):
            await made.manager.restart_kernel(now=now)
            await made.client.wait_for_ready(timeout=30)
            assert made.forked
            after = await made.value("[__import__('os').getpid(), 'x' in globals()]")
            assert after == [made.provisioner.pid, False]
            assert after[0] != before
            assert not alive(before)


@in_loop
async def test_a_kill_takes_what_the_kernel_has_started(folders: Folders, servers: ForkServers) -> None:
    async with kernel(folders(), servers, PRELOAD) as made:
        child = await made.run("import subprocess; p = subprocess.Popen(['sleep', '60'])", "p.pid")
    await gone(child)


@in_loop
async def test_a_start_that_is_cancelled_leaves_no_kernel(folders: Folders, servers: ForkServers) -> None:
    server = await serving(servers, PRELOAD)
    folder = folders()

    async def start() -> None:
        async with kernel(folder, servers, PRELOAD):
            pass

    for turns in range(12):
        starting = asyncio.create_task(start())
        for _ in range(turns):
            await asyncio.sleep(0)
        starting.cancel()
        await asyncio.wait([starting])
    async with kernel(folder, servers, PRELOAD) as made:  # what was asked for before has been done by now
        for pid in children(server._process.pid) - {made.provisioner.pid}:
            await gone(pid)


@in_loop
async def test_kernels_end_with_their_fork_server_and_the_next_one_starts(folders: Folders) -> None:
    servers = ForkServers()
    server = await serving(servers)
    folder = folders()
    async with kernel(folder, servers) as made:
        watching = asyncio.create_task(death(made.provisioner))
        server._process.kill()
        assert await watching == -signal.SIGKILL
        async with kernel(folder, servers) as ordinary:
            assert not ordinary.forked
            assert await ordinary.value("1") == 1
    assert await serving(servers) is not server
    async with kernel(folder, servers) as made:
        assert made.forked
    servers.close()
    assert not server._folder.exists()


@contextmanager
def owner(code: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True) as process:
        yield process


def said(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@in_loop
async def test_everything_ends_with_its_owner(folders: Folders, how: signal.Signals) -> None:
    with owner(OWNER, folders()) as process:
        *pids, folder = said(process)
        assert all(alive(pid) for pid in pids)
        process.send_signal(how)
    for pid in pids:
        await gone(pid)
    assert not Path(folder).exists()  # noqa: ASYNC240


@in_loop
async def test_a_fork_server_whose_owner_ends_before_it_serves_ends_too(folders: Folders) -> None:
    early = OWNER.replace("server = await serving(servers)", EARLY)
    with owner(early, folders()) as process:
        pid, folder = said(process)
    await gone(pid)
    assert not Path(folder).exists()  # noqa: ASYNC240


@in_loop
async def test_too_many_kernels_are_refused_and_the_others_live(folders: Folders) -> None:
    servers = ForkServers()
    folder = folders()
    server = await serving(servers)
    async with kernel(folder, servers) as made:
        for most in limits(server._process.pid):
            resource.prlimit(server._process.pid, resource.RLIMIT_NOFILE, (most, 4096))
            async with kernel(folder, servers) as another:
                assert not another.forked
                assert await another.value("1") == 1
        resource.prlimit(server._process.pid, resource.RLIMIT_NOFILE, (4096, 4096))
        async with kernel(folder, servers) as another:
            assert another.forked
        assert await made.value("1") == 1
    servers.close()


def limits(pid: int) -> list[int]:
    """Each that falls on one of the five descriptors that a fork server needs for a kernel."""
    taken = {int(file.name) for file in Path(f"/proc/{pid}/fd").iterdir()}
    return [free for free in range(len(taken) + 5) if free not in taken][:5]


@in_loop
async def test_a_fork_of_the_owner_keeps_nothing_alive(folders: Folders) -> None:
    """It has copies of the owner's sockets."""
    with owner(OWNER.replace("await asyncio.Event()", FORKS), folders()) as process:
        *pids, _ = said(process)
        child = said(process)
        process.kill()
        for pid in pids:
            await gone(pid)
        os.kill(child, signal.SIGKILL)


@in_loop
async def test_a_fault_that_is_for_the_server_too_takes_the_owner_along(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(faults.VARIABLE, "checkpoint.begin@server")
    passing = """await made.run("import flownb.faults; flownb.faults.point('checkpoint.begin')")"""
    with owner(OWNER.replace("await asyncio.Event().wait()", passing), folders()) as process:
        *pids, _ = said(process)
    assert process.returncode == -signal.SIGKILL
    for pid in pids:
        await gone(pid)


@in_loop
async def test_closing_ends_everything(folders: Folders) -> None:
    servers = ForkServers()
    server = await serving(servers)
    async with kernel(folders(), servers) as made:
        servers.close()
        assert await made.ended() == -signal.SIGKILL
        assert not alive(server._process.pid)
        assert not server._folder.exists()


def children(pid: int) -> set[int]:
    return {int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
