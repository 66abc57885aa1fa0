"""Anybody's kernelspec may name the provisioner, in any application; what cannot be forked starts as ever."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
import zmq
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager, KernelManager
from nbclient import NotebookClient

from flownb.bridge import forkservers
from flownb.bridge.forkable import forkable
from flownb.bridge.provisioner import ForkProvisioner, provision
from tests.bridge.forks import alive, gone, kernel, serving
from tests.support.asyncio import in_loop

Folders = Callable[[], Path]

OWN = ("-m", "ipykernel_launcher", "-f", "{connection_file}")
PID = "__import__('os').getpid()"


def spec(folder: Path, name: str, *argv: str, provisioner: str = "flownb-fork", **config: Any) -> None:
    (folder / name).mkdir()
    told = {"kernel_provisioner": {"provisioner_name": provisioner, "config": config}}
    written = {"argv": [*argv], "display_name": name, "language": "python", "metadata": told}
    (folder / name / "kernel.json").write_text(json.dumps(written))


@pytest.fixture
def forked(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A kernelspec that Jupyter finds by this name, and whose fork server serves."""
    folder = folders()
    (folder / "kernels").mkdir()
    spec(folder / "kernels", "forked", sys.executable, *OWN, preload=["json"])
    monkeypatch.setenv("JUPYTER_PATH", str(folder))
    servers = forkservers.ForkServers()
    monkeypatch.setattr(forkservers, "_of_process", lambda pid: servers)
    asyncio.run(warmed_up("forked", ["json"]))
    yield "forked"
    servers.close()


async def warmed_up(name: str, preload: list[str]) -> None:
    manager = AsyncKernelManager(kernel_name=name)
    server = await ForkProvisioner(kernel_spec=manager.kernel_spec, parent=manager, preload=preload).warm_up()
    assert server is not None
    await server.started()


def test_the_blocking_manager_forks_too(forked: str) -> None:
    manager = KernelManager(kernel_name=forked, context=zmq.Context())
    manager.start_kernel()
    assert isinstance(manager.provisioner, ForkProvisioner)
    first = manager.provisioner.forked
    assert first is not None
    client = manager.client(context=manager.context)
    client.start_channels()
    client.wait_for_ready(timeout=30)
    assert asked(client, PID) == first.pid
    manager.restart_kernel()
    client.wait_for_ready(timeout=30)
    assert asked(client, PID) == manager.provisioner.pid != first.pid
    assert manager.is_alive()
    client.execute("import os; os._exit(3)")
    assert asyncio.run(manager.provisioner.wait()) == 3
    assert not manager.is_alive()
    client.stop_channels()
    manager.shutdown_kernel()
    manager.context.destroy(linger=0)


def asked(client: Any, expression: str) -> Any:
    reply = client.execute_interactive("", user_expressions={"it": expression}, allow_stdin=False)
    return json.loads(reply["content"]["user_expressions"]["it"]["data"]["text/plain"])


def test_nbclient_runs_notebooks_in_forked_kernels(forked: str) -> None:
    cells = [
        nbformat.v4.new_code_cell(code)
        for code in ("import os", "print(os.getppid() == int(os.environ['JPY_PARENT_PID']))")
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(notebook, kernel_name=forked)
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        assert client.kc is not None
        context = client.kc.context
    context.destroy(linger=0)
    assert notebook.cells[1].outputs[0]["text"] == "False\n"


@pytest.mark.parametrize(
    "change",
    [
        {"command": ["bash", "-c", "exit"]},
        {"command": [sys.executable, "-m", "another_kernel", "-f", "x"]},
        {"command": [sys.executable, "-i", "-m", "ipykernel", "-f", "x"]},
        {"command": [sys.executable, "program.py", "-m", "ipykernel", "-f", "x"]},
        {"command": [sys.executable, "-m", "ipykernel", "install"]},
        {"command": [sys.executable, "-m"]},
        {"command": ["/nowhere/python", "-m", "ipykernel", "-f", "x"]},
        {"stdout": subprocess.PIPE},
        {"stderr": subprocess.STDOUT},
        {"stdin": 0},
        {"independent": True},
        {"preexec_fn": print},
        {"cwd": "/nowhere"},
        {"env": {"PATH": "/usr/bin", "PYTHONPATH": "relative"}},
    ],
)
def test_what_is_out_of_the_ordinary_is_not_forked(change: dict[str, Any]) -> None:
    usual: dict[str, Any] = {
        "command": [sys.executable, "-m", "ipykernel_launcher", "-f", "x"],
        "kernel_id": "1",
        "independent": False,
    }
    command = usual.pop("command")
    assert forkable(command, usual) is not None
    assert forkable(change.pop("command", command), {**usual, **change}) is None


def test_options_of_the_interpreter_are_those_of_the_fork_server() -> None:
    options = ["-Xfrozen_modules=off", "-s", "-Wignore"]
    launch = forkable([sys.executable, *options, "-m", "ipykernel", "-f", "x", "--debug"], {"env": {"PATH": ""}})
    assert launch is not None
    assert (launch.command, launch.module) == ((sys.executable, *options), "ipykernel")
    assert launch.arguments == ("-f", "x", "--debug")


def test_other_platforms_start_kernels_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    assert forkable([sys.executable, "-m", "ipykernel", "-f", "x"], {}) is None


@in_loop
async def test_a_kernelspec_with_a_provisioner_of_its_own_keeps_it(folders: Folders) -> None:
    folder = folders()
    spec(folder, "local", sys.executable, *OWN, provisioner="local-provisioner")
    manager = AsyncKernelManager(kernel_name="local", kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(folder)]))
    assert provision(manager, forkservers.ForkServers(), []) is None


@in_loop
async def test_an_ordinary_kernel_of_this_provisioner_works_as_ever(folders: Folders) -> None:
    servers = forkservers.ForkServers()
    async with kernel(folders(), servers, extra_arguments=["--HistoryManager.enabled=False"], independent=True) as made:
        assert not made.forked
        pid = await made.value(PID)
        await made.manager.interrupt_kernel()
        assert await made.value(PID) == pid
        assert alive(pid)
    await gone(pid)
    servers.close()


@in_loop
async def test_its_information_survives(folders: Folders) -> None:
    servers = forkservers.ForkServers()
    await serving(servers)
    async with kernel(folders(), servers) as made:
        assert made.forked
        known = await made.provisioner.get_provisioner_info()
        assert known["pid"] == known["pgid"] == made.provisioner.pid
        other = ForkProvisioner(kernel_spec=made.manager.kernel_spec, parent=made.manager)
        await other.load_provisioner_info(known)
        assert other.pid == made.provisioner.pid
        assert not other.has_process
    servers.close()
