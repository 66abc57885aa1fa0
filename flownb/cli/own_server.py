"""A Jupyter server of our own, on loopback, for as long as a command needs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_urlsafe
from typing import NamedTuple

from flownb.client import ApiError, Client, NoServer
from flownb.client.servers import running

STARTS = 60.0
"""Seconds within which a server comes up, also on a busy machine."""

STOPS = 20.0
"""Seconds after which a server that was asked to stop is killed."""


class OwnServer(NamedTuple):
    """A server that we have started, and a client of it."""

    process: subprocess.Popen[bytes]
    client: Client


@contextmanager
def own_server(root: Path, log: Path | None = None, *arguments: str) -> Iterator[OwnServer]:
    """A server with ``root`` as its root folder, which is stopped at the end of the block.

    It writes to the file ``log``, or to our own output. Raises ``NoServer`` where it does not come up.
    """
    with _writing(log) as output:
        process = subprocess.Popen(  # noqa: S603 - our own Python
            [sys.executable, "-m", "jupyter_server", *_settings(root), *arguments],
            # By the environment, since everybody on the machine sees a command's arguments.
            env={**os.environ, "JUPYTER_TOKEN": token_urlsafe(32)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for us: we stop the server in order
            cwd=root,
        )
        try:
            yield OwnServer(process, _answering(process, root, log))
        finally:
            _stop(process)


@contextmanager
def _writing(log: Path | None) -> Iterator[int | None]:
    """What a process is to write to ``log`` with; raises ``NoServer`` where nobody can."""
    if log is None:
        yield None
        return
    try:
        log.parent.mkdir(mode=0o700, exist_ok=True)
        file = log.open("wb")
    except OSError as error:
        raise NoServer(f"{log} cannot be written ({error.strerror}): a server needs a folder that can be") from None
    with file:
        yield file.fileno()


def _settings(root: Path) -> Iterator[str]:
    yield "--no-browser"
    yield f"--ServerApp.root_dir={root}"
    yield "--ServerApp.ip=127.0.0.1"
    yield "--ServerApp.port=0"  # any, or the one to which links that were sent before point
    if os.geteuid() == 0:
        yield "--allow-root"


def _answering(process: subprocess.Popen[bytes], root: Path, log: Path | None) -> Client:
    """The server once flownb is at work in it; raises ``NoServer`` where that does not come about."""
    until = time.monotonic() + STARTS
    why = "it did not answer in time"
    while process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
        info = next((info for info in running() if info["pid"] == process.pid), None)
        if info is None:
            continue
        client = Client(info["url"], info["token"], root)
        try:
            client.health()
            return client
        except (ApiError, NoServer) as error:
            why = str(error)
            client.close()
            if isinstance(error, ApiError) and error.reason not in ("starting", "no_api"):
                break
    if process.poll() is not None:
        why = f"it ended with status {process.returncode}"
    see = f", see {log}" if log else ""
    raise NoServer(f"a Jupyter server for {root} could not be brought up: {why}{see}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C would leave the server behind
    try:
        process.terminate()
        try:
            process.wait(STOPS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
