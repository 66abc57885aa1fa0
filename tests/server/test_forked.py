"""Kernels of a server are forked, and nothing of that outlives the server."""

from __future__ import annotations

import os
import select
from collections.abc import Callable

from flownb.testing.server import PATIENCE
from tests.support.server import Server

Made = Callable[..., Server]
WHO = "import os; [os.getppid(), 'numpy' in __import__('sys').modules]"


def parent(server: Server, execution: str) -> int:
    """The process that started the kernel of the last step."""
    value = server.wait(execution, "succeeded")["steps"][-1]["exports"]["$return_value"]
    return int(value[0])


def process(server: Server) -> int:
    assert server.process is not None
    return server.process.pid


def has_ended(pid: int) -> bool:
    """Whether a process ends, which need not be a child."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ended, _, _ = select.select([handle], [], [], PATIENCE)
    os.close(handle)
    return bool(ended)


def forked(server: Server) -> int | None:
    """The fork server, once a kernel came from it."""
    found = parent(server, server.run(WHO))
    return found if found != process(server) else None


def test_kernels_are_forked_and_go_with_the_server(make_server: Made) -> None:
    server = make_server("--FlowNB.warm_seconds=0", "--FlowNB.pool_size=0").start()
    waiting = server.run("x = [1]\npd.flow.suspend();", WHO)
    links = server.wait(waiting, "suspended")["waiting"]
    fork_server = server.until(lambda: forked(server))
    server.run("import os, time; os.symlink(str(os.getpid()), 'pid'); time.sleep(600)")
    server.until((server.root / "pid").is_symlink)
    kernel = int((server.root / "pid").readlink().name)
    server.kill()
    for pid in (kernel, fork_server):
        assert has_ended(pid)
    server.start()
    assert server.until(lambda: forked(server)) != fork_server
    server.http.post(links["resume_url"], json={}).raise_for_status()
    assert parent(server, waiting) != process(server)


def test_what_is_installed_of_the_list_is_there_already(make_server: Made) -> None:
    server = make_server("--FlowNB.preload=numpy", "--FlowNB.preload=no_such_module").start()
    server.until(lambda: forked(server))
    again = server.wait(server.run(WHO), "succeeded")
    assert again["steps"][-1]["exports"]["$return_value"][1] is True


def test_without_fork_servers_kernels_are_the_servers_own(make_server: Made) -> None:
    server = make_server("--FlowNB.fork_kernels=False").start()
    assert parent(server, server.run(WHO)) == process(server)
    assert parent(server, server.run(WHO)) == process(server)
