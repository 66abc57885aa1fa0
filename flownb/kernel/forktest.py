"""Whether forking works here: a kernel is forked and runs a cell, which another fork asks it to."""

from __future__ import annotations

import importlib
import os
import secrets
import select
import signal
import sys
import traceback
from ast import literal_eval
from json import dumps
from pathlib import Path

from flownb.kernel.forked import Birth, end_with
from flownb.kernel.preload import NotForkable

SECONDS = 60.0
MODULES = "' '.join(__import__('sys').modules)"
PORTS = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")


def run(folder: str) -> Birth | frozenset[str]:
    """Returns in the kernel that it forks, and with the modules that this imported when it has done its work.

    Raises ``NotForkable``.
    """
    server = os.getpid()
    connection = Path(folder, "test.json")
    connection.write_text(dumps(_connection(folder)))
    birth = Birth(server, _told(folder, connection), os.dup(2), os.dup(2))
    kernel = os.fork()
    if kernel == 0:
        return birth
    for descriptor in (birth.told, birth.stdout, birth.stderr):
        os.close(descriptor)
    answer, write = os.pipe()
    client = os.fork()
    if client == 0:
        end_with(server)
        _ask(str(connection), write)
    os.close(write)
    with os.fdopen(answer) as file:
        failure = _failure(kernel, client)
        for pid in (kernel, client):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        if failure:
            raise NotForkable(failure)
        return frozenset(file.read().split())


def _connection(folder: str) -> dict[str, object]:
    ports = {name: number for number, name in enumerate(PORTS, 1)}
    key = {"key": secrets.token_hex(16), "signature_scheme": "hmac-sha256"}
    return {"transport": "ipc", "ip": f"{folder}/test", **ports, **key}


def _told(folder: str, connection: Path) -> int:
    """In a profile of its own: what people have put into theirs is not to be run for this."""
    environment = {**os.environ, "IPYTHONDIR": str(Path(folder, "ipython")), "JPY_PARENT_PID": str(os.getpid())}
    arguments = ["-f", str(connection), "--HistoryManager.enabled=False"]
    command = {"command": [sys.executable], "module": "ipykernel_launcher", "arguments": arguments}
    told = {**command, "cwd": folder, "environment": environment}
    file = os.memfd_create("told")
    os.write(file, dumps(told).encode())
    return file


def _failure(kernel: int, client: int) -> str | None:
    handles = {os.pidfd_open(client): client, os.pidfd_open(kernel): kernel}
    ended, _, _ = select.select([*handles], [], [], SECONDS)
    pids = {handles[handle] for handle in ended}
    for handle in handles:
        os.close(handle)
    if client in pids:
        pids.discard(client)
        status = os.waitid(os.P_PID, client, os.WEXITED | os.WNOWAIT)
        return None if status and status.si_status == 0 else "a forked kernel did not do as it was asked"
    return "a forked kernel ended at once" if pids else f"a forked kernel did not answer within {SECONDS:.0f} s"


def _ask(connection: str, answer: int) -> None:
    """Runs a cell in the kernel, and ends the process with status 0 if that works."""
    status = 1
    try:
        client = importlib.import_module("jupyter_client.blocking").BlockingKernelClient(connection_file=connection)
        client.load_connection_file()
        client.start_channels(stdin=False, hb=False, control=False)
        client.execute("", user_expressions={"answer": MODULES})
        content = client.get_shell_msg(timeout=SECONDS)["content"]
        modules = literal_eval(content["user_expressions"]["answer"]["data"]["text/plain"])
        os.write(answer, modules.encode())
        status = 0
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(status)
