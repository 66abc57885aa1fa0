"""Fork servers: begun when needed, refused with a word, replaced when they die or are out of date."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager

from flownb.bridge.forkservers import MOST_DEATHS, PRELOAD, ForkServers
from tests.bridge.at_work import kernelspec
from tests.bridge.forks import gone, kernel, serving
from tests.support.asyncio import in_loop
from tests.support.environments import environment

Folders = Callable[[], Path]

THREAD = "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), name='busy', daemon=True).start()"
NAMELESS = "import _thread, time\n_thread.start_new_thread(time.sleep, (60,))"
CONTEXT = "import zmq\nsocket = zmq.Context().socket(zmq.PUB)\nsocket.bind('inproc://x')"
DUMB = "from IPython.core.interactiveshell import InteractiveShell as S; S.user_expressions = lambda *asked: {}"


@pytest.fixture
def path(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose modules kernels can import."""
    folder = folders()
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (THREAD, "importing troubled starts a thread (busy)"),
        (NAMELESS, "importing troubled starts a thread (a nameless one)"),
        (CONTEXT, "importing troubled makes a ZMQ context"),
        ("import nowhere_to_be_found", "troubled cannot be imported: ModuleNotFoundError"),
        ("1 / 0", "troubled cannot be imported: ZeroDivisionError"),
        ("import os; os._exit(5)", "it ended as it started, with exit status 5"),
        ("import sys; sys.exit('I quit')", "it ended as it started, with exit status 1; its last words: 'I quit'"),
        (DUMB, "a forked kernel did not do as it was asked"),
        ("import ipykernel.kernelapp as a; del a.IPKernelApp.init_sockets", "a forked kernel ended at once"),
    ],
)
@in_loop
async def test_what_cannot_be_forked_is_refused_with_a_word(path: Path, source: str, words: str) -> None:
    (path / "troubled.py").write_text(source)
    servers = ForkServers()
    assert words in ((await serving(servers, ["troubled"])).refused or "")
    servers.close()


@in_loop
async def test_where_forking_is_refused_kernels_start_as_ever(
    folders: Folders, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (path / "troubled.py").write_text(THREAD)
    servers = ForkServers()
    await serving(servers, ["troubled"])
    for _ in range(2):
        async with kernel(folders(), servers, ["troubled"]) as made:
            assert not made.forked
            assert await made.value("1") == 1
    said = [record.getMessage() for record in caplog.records if record.name == "flownb"]
    assert ["importing troubled starts a thread" in message for message in said] == [True]
    servers.close()


@in_loop
async def test_where_no_process_can_be_started_kernels_start_as_ever(
    folders: Folders, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = ForkServers()
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "tempdir", "/nowhere")
        async with kernel(folders(), servers) as made:
            assert not made.forked
    assert "the fork server cannot be started" in caplog.records[0].getMessage()
    servers.close()


@in_loop
async def test_what_is_not_installed_is_left_out(folders: Folders, path: Path) -> None:
    (path / "there.py").write_text("value = 1")
    servers = ForkServers()
    preload = ["not_there", "not_there.either", "there"]
    assert (await serving(servers, preload)).refused is None
    async with kernel(folders(), servers, preload) as made:
        assert made.forked
        assert await made.value("'there' in __import__('sys').modules")
    servers.close()


@in_loop
async def test_nobody_waits_for_a_fork_server_that_is_starting(folders: Folders) -> None:
    servers = ForkServers()
    folder = folders()
    async with kernel(folder, servers) as first:
        assert not first.forked
        await serving(servers)
        async with kernel(folder, servers) as second:
            assert second.forked
    servers.close()


@in_loop
async def test_each_environment_that_matters_has_its_own(folders: Folders, servers: ForkServers) -> None:
    server = await serving(servers, PRELOAD)
    assert server is await serving(servers, PRELOAD)
    folder = folders()
    async with kernel(folder, servers, PRELOAD, env={**os.environ, "OMP_NUM_THREADS": "1"}) as made:
        assert not made.forked
    async with kernel(folder, servers, PRELOAD, env={**os.environ, "ANY": "1"}) as made:
        assert made.forked


@in_loop
async def test_one_that_dies_again_and_again_is_given_up(folders: Folders, caplog: pytest.LogCaptureFixture) -> None:
    servers = ForkServers()
    folder = folders()
    await die(servers)
    await serving(servers)
    async with kernel(folder, servers) as made:  # begins the count anew
        assert made.forked
    for _ in range(MOST_DEATHS):
        await die(servers)
    async with kernel(folder, servers) as made:
        assert not made.forked
    assert "has died 3 times" in "".join(record.getMessage() for record in caplog.records)
    servers.close()


async def die(servers: ForkServers) -> None:
    process = (await serving(servers))._process
    process.kill()
    await gone(process.pid)


@in_loop
async def test_what_is_installed_meanwhile_is_in_the_next_kernel(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = folders() / "site-packages"
    (packages / "__pycache__").mkdir(parents=True)  # else the first import looks as if something was installed
    (packages / "library.py").write_text("version = 1")
    monkeypatch.setenv("PYTHONPATH", str(packages))
    servers = ForkServers()
    former = await serving(servers, ["library"])
    folder = folders()
    async with kernel(folder, servers, ["library"]) as old:
        assert old.forked
        (packages / "library.py").unlink()
        (packages / "library.py").write_text("version = 12")
        async with kernel(folder, servers, ["library"]) as ordinary:
            assert not ordinary.forked
            assert await ordinary.run("import library", "library.version") == 12
        assert await serving(servers, ["library"]) is not former
        async with kernel(folder, servers, ["library"]) as new:
            assert new.forked
            assert await new.run("import library", "library.version") == 12
        assert await old.run("import library", "library.version") == 1
    await gone(former._process.pid)
    servers.close()


@in_loop
async def test_one_that_does_not_answer_is_left_alone(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flownb.bridge.forkserver.ANSWER_SECONDS", 0.2)
    servers = ForkServers()
    stuck = await serving(servers)
    os.kill(stuck._process.pid, signal.SIGSTOP)
    async with kernel(folders(), servers) as made:
        assert not made.forked
    assert await serving(servers) is not stuck
    servers.close()


@in_loop
async def test_another_interpreter_needs_no_flownb(folders: Folders) -> None:
    folder = folders()
    python = str(environment(folder / "environment"))
    if subprocess.run([python, "-c", "import flownb"], cwd=folder, check=False).returncode == 0:  # noqa: ASYNC221
        pytest.skip("flownb is among the packages that this environment has")
    kernelspec(folder / "specs", "other", python, "-m", "ipykernel_launcher", "-f", "{connection_file}")
    specs = KernelSpecManager()
    specs.kernel_dirs = [str(folder / "specs")]
    servers = ForkServers()
    assert (await serving(servers, name="other", specs=specs)).refused is None
    async with kernel(folder, servers, name="other", specs=specs) as made:
        assert made.forked
        assert await made.value("__import__('sys').executable") == python
        assert ".zip" in await made.value("__import__('flownb').__file__")
        assert (
            await made.value("type(__import__('flownb.kernel.snapshot').kernel.snapshot.save).__name__") == "function"
        )
    servers.close()
