"""The process that kernels are forked from: it has everything imported that they need, and does nothing else.

It speaks with its owner over a socket that it was started with. It has no thread, no event loop and no ZMQ context:
none of them survives a fork.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from json import dumps
from typing import Any, NoReturn

from flownb.kernel import forkedapp, forktest
from flownb.kernel.forked import Birth, become
from flownb.kernel.preload import A_KERNEL_STARTS_WITH, NotForkable, freeze, installations, preload, preload_quietly

RETIRE = b"retire"
DESCRIPTORS = 4
"""With a request come: the socket of the kernel, what it is told (a file with JSON), its stdout and stderr."""


@dataclass(frozen=True)
class _Child:
    """A kernel: a handle on its process, and the socket on which its owner is told of its end."""

    pid: int
    handle: int
    socket: socket.socket

    def tell(self, handles: list[int], **said: object) -> bool:
        """Whether there was somebody to be told."""
        try:
            socket.send_fds(self.socket, [dumps(said).encode()], handles)
        except OSError:
            return False
        return True

    def kill(self) -> None:
        signal.pidfd_send_signal(self.handle, signal.SIGKILL)

    def close(self) -> None:
        os.close(self.handle)
        self.socket.close()


class _ForkServer:
    """Forks until its owner is gone, which ends the kernels too; once retired, until the last kernel is gone."""

    def __init__(self, control: socket.socket, owner: int) -> None:
        self._control = control
        self._owner = owner
        self._retired = False
        self._children: dict[int, _Child] = {}
        """By handle and, as long as the owner listens, by socket."""
        self._events = select.poll()  # nothing that a child would share, as with epoll
        for handle in (owner, control.fileno()):
            self._events.register(handle, select.POLLIN)

    def serve(self) -> Birth | None:
        """Returns in each kernel that it forks, and with None when there is nothing left to do."""
        while self._children or not self._retired:
            handle, _ = self._events.poll()[0]  # one at a time: the next may have the number of one that is closed
            if handle == self._owner:
                break
            if handle == self._control.fileno():
                message, descriptors, _, _ = socket.recv_fds(self._control, 16, DESCRIPTORS)
                if not message:
                    break
                if message == RETIRE:
                    self._retired = True
                    self._forget(handle)
                elif birth := self._fork(descriptors):
                    return birth
            elif handle == self._children[handle].handle:
                self._ended(self._children[handle])
            else:
                self._left(self._children[handle])
        for child in self._children.values():
            child.kill()
        return None

    def _fork(self, descriptors: list[int]) -> Birth | None:
        if not descriptors:  # none can be opened any more; its owner sees that the socket for an answer is gone
            return None
        own, *given = descriptors
        answer, server = socket.socket(fileno=own), os.getpid()
        try:
            if len(descriptors) < DESCRIPTORS:
                raise OSError("too many open files")
            pid = os.fork()
            if pid == 0:
                answer.close()
                self.close()
                return Birth(server, *given)
            self._born(pid, answer)
        except OSError as error:
            with suppress(OSError):
                answer.send(dumps({"error": f"it cannot be forked: {error}"}).encode())
            answer.close()
        for descriptor in given:
            os.close(descriptor)
        return None

    def _born(self, pid: int, answer: socket.socket) -> None:
        try:
            child = _Child(pid, os.pidfd_open(pid), answer)
        except OSError:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
        for handle in (child.handle, child.socket.fileno()):
            self._children[handle] = child
            self._events.register(handle, select.POLLIN)
        if not child.tell([child.handle], pid=pid):
            child.kill()

    def _left(self, child: _Child) -> None:
        """The owner has let go of a kernel: of one that may go on, or without having read that there is one."""
        self._forget(child.socket.fileno())
        try:
            child.socket.recv(1)
        except ConnectionResetError:
            child.kill()

    def _ended(self, child: _Child) -> None:
        _, status = os.waitpid(child.pid, 0)
        child.tell([], status=os.waitstatus_to_exitcode(status))
        self._forget(child.handle)
        if child.socket.fileno() in self._children:
            self._forget(child.socket.fileno())
        child.close()

    def _forget(self, handle: int) -> None:
        self._events.unregister(handle)
        self._children.pop(handle, None)

    def close(self) -> None:
        """Let go of everything, in a child."""
        os.close(self._owner)
        for handle, child in self._children.items():
            if handle == child.handle:
                child.close()


def main(told: dict[str, Any]) -> None:
    """Is told its ``control`` socket, its ``owner``, ``preload``, and a ``folder`` that is its own.

    Returns in each kernel, at the end of that.
    """
    control = socket.socket(fileno=told["control"])
    try:
        owner = os.pidfd_open(told["owner"])
        birth = _prepare(control, told["preload"], told["folder"]) or _ForkServer(control, owner).serve()
    except (NotForkable, OSError) as error:  # the latter also where the owner has gone meanwhile
        _end(told["folder"], control, str(error))
    if birth is None:
        _end(told["folder"])
    control.close()
    become(birth)


def _prepare(control: socket.socket, modules: Iterable[str], folder: str) -> Birth | None:
    """Returns a birth in the kernel of the test; raises ``NotForkable`` and, without an owner, ``OSError``."""
    installed = installations()
    preload(A_KERNEL_STARTS_WITH)
    forkedapp.prepare()
    preload(modules)
    tested = forktest.run(folder)
    if isinstance(tested, Birth):
        return tested
    preload_quietly(tested)
    freeze()
    control.send(dumps({"installed": installed}).encode())
    return None


def _end(folder: str, control: socket.socket | None = None, refused: str = "") -> NoReturn:
    """Without what libraries do at an exit: that is for kernels to do."""
    shutil.rmtree(folder, ignore_errors=True)
    if control is not None:
        with suppress(OSError):
            control.send(dumps({"refused": refused}).encode())
    os._exit(0)
