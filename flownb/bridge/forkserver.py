"""A fork server, seen by its owner."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from json import dumps
from pathlib import Path
from typing import Any

from flownb.bridge.forkable import BEFORE_A_FORK, Launch
from flownb.bridge.forked import ForkedProcess, readable
from flownb.bridge.kernel_side import KernelSide
from flownb.bridge.port import KernelError
from flownb.bridge.sockets import PREFIX

ANSWER_SECONDS = 20.0
LONGEST_MESSAGE = 1 << 16
RETIRE = b"retire"

START = """
import json, sys
told = json.loads(sys.argv[1])
sys.path[:] = [entry for entry in sys.path if entry]
try:
    import flownb
except ModuleNotFoundError:
    sys.path += told["archive"]
from flownb.kernel.forkserver import main
main(told)
"""


class ForkFailed(KernelError):
    """The fork server gave no kernel."""

    ename = "ForkFailed"


class ForkServer:
    """One process and the socket to it. It ends, with its kernels, when this process does."""

    def __init__(self, launch: Launch, preload: Sequence[str], folder: Path | None = None) -> None:
        """Begins to start one for such kernels; ``preload`` are modules, and ``folder`` is where it has one of its own.

        Raises ``OSError``.
        """
        self.refused: str | None = None
        """Why it does not serve, once that is known."""
        self.stuck = False
        """Whether it has left a request without an answer."""
        self._installed: dict[str, int] | None = None
        self._ended = False
        self._folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder))
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process lives
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.setblocking(False)
        told = {
            "control": theirs.fileno(),
            "owner": os.getpid(),
            "preload": [*preload],
            "folder": str(self._folder),
            "archive": [] if launch.command[0] == sys.executable else [str(KernelSide(self._folder).zip())],
        }
        with theirs:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - the kernelspec's own interpreter
                    [*launch.command, "-c", START, dumps(told)],
                    stdin=subprocess.DEVNULL,
                    stdout=self._words,
                    stderr=self._words,
                    cwd=self._folder,
                    env=_environment() | launch.before_a_fork(),
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            except OSError:
                self._clear()
                raise

    @property
    def starting(self) -> bool:
        self._listen()
        return self._installed is None and self.refused is None

    @property
    def ended(self) -> bool:
        self._listen()
        return self._ended

    @property
    def outdated(self) -> bool:
        """Whether something has been installed since it started: its kernels would mix old modules and new ones."""
        return any(_changed(folder) != time for folder, time in (self._installed or {}).items())

    def _listen(self) -> None:
        if self._ended:
            return
        try:
            said = self._control.recv(LONGEST_MESSAGE)
        except BlockingIOError:
            return
        except ConnectionResetError:
            said = b""
        answer: dict[str, Any] = json.loads(said or b"{}")
        self._installed = self._installed or answer.get("installed")
        if self._installed is None:
            self.refused = answer.get("refused") or self._last_words()
        if self.refused or not said:
            self.close()

    def _last_words(self) -> str:
        self._words.seek(0)
        *_, last = self._words.read().decode(errors="replace").strip().splitlines() or [""]
        return f"it ended as it started, with exit status {self._process.wait()}; its last words: {last!r}"

    async def started(self) -> None:
        """Wait until it serves or it is known that it does not."""
        while self.starting:
            await readable(self._control.fileno())

    async def fork(self, launch: Launch, told_of_end: Callable[[], object]) -> ForkedProcess:
        """Raises ``ForkFailed``; where this is cancelled, there is no kernel."""
        told = {
            "command": launch.command,
            "module": launch.module,
            "arguments": launch.arguments,
            "cwd": launch.cwd,
            "environment": dict(launch.environment),
        }
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours:
            with theirs, os.fdopen(os.memfd_create("told"), "wb") as file:
                file.write(dumps(told).encode())
                file.flush()
                given = [theirs.fileno(), file.fileno(), launch.stdout, launch.stderr]
                try:
                    socket.send_fds(self._control, [b"fork"], given)
                except OSError as error:
                    raise ForkFailed(f"the fork server cannot be reached: {error}") from None
            try:
                await asyncio.wait_for(readable(ours.fileno()), ANSWER_SECONDS)
                said, handles, _, _ = socket.recv_fds(ours, LONGEST_MESSAGE, 1, socket.MSG_CMSG_CLOEXEC)
            except (TimeoutError, OSError) as error:
                self.stuck = isinstance(error, TimeoutError)
                raise ForkFailed(f"the fork server did not answer: {error!r}") from None
            answer = json.loads(said or b'{"error": "there is no answer"}')
            if "error" in answer:
                raise ForkFailed(f"the fork server gave no kernel: {answer['error']}")
            [handle] = handles
            return ForkedProcess(answer["pid"], handle, ours, told_of_end)

    def retire(self) -> None:
        """It ends when the last of its kernels does."""
        with suppress(OSError):
            self._control.send(RETIRE)

    def close(self) -> None:
        """End it and its kernels."""
        self._process.kill()
        self._process.wait()
        self._clear()

    def _clear(self) -> None:
        self._control.close()
        self._words.close()
        self._ended = True
        shutil.rmtree(self._folder, ignore_errors=True)


def _environment() -> dict[str, str]:
    """This process's environment, without what is read before a fork."""
    return {name: value for name, value in os.environ.items() if not BEFORE_A_FORK.match(name)}


def _changed(folder: str) -> int | None:
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:
        return None
