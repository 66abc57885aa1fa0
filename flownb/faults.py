"""Places where a test may have the process die, as it would by a crash at just that moment.

Armed by the environment: ``FLOWNB_FAULT=commit.after:3`` kills the process the third time that it passes the point,
``checkpoint.aside@server:1`` the server too, for a point in a kernel. Unarmed, a point costs one comparison.
"""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass, field

VARIABLE = "FLOWNB_FAULT"

IN_A_SERVER = {
    "commit.before": "a transaction is written but not committed",
    "commit.after": "a transaction is on disk; nobody knows",
    "commit.told": "who waits for a commit has been told, the listeners not yet",
    "answer.public": "a link has been acted on; its answer is not sent",
    "answer.api": "a call of the API has been acted on; its answer is not sent",
    "step.send": "a step's start is on disk; its cell is not sent",
    "step.reply": "a step's result has come and is not on disk",
    "restore.ask": "a kernel is there for an execution, and has not been asked for its variables",
    "timer.fire": "timers are due and have not fired",
    "notebook.write": "an executed notebook is written aside; the former one is still in its place",
    "notebook.written": "executed notebooks are written; how far is not noted",
    "message.send": "a message to people is on record and is not sent",
    "message.sent": "a message has been sent; that is not on record",
    "checkpoint.forget": "a checkpoint has been superseded and is there still",
    "checkpoint.forgetting": "a superseded checkpoint is deleted, its blobs are there still",
    "start.opened": "a starting server owns the folder and the database, and has done nothing else",
    "start.tidied": "a server that has just started has removed the files that nobody knows",
    "start.lost": "a starting server has given back what ran; due timers have not fired",
    "start.recovered": "a starting server has recovered everything and not begun to work",
    "stop.begin": "a stopping server has given nothing back",
    "stop.released": "a stopping server has given back what ran; its kernels and the database are open",
}
IN_A_KERNEL = {
    "checkpoint.begin": "a step has ended; nothing of its checkpoint is written",
    "checkpoint.blob": "a blob is written aside",
    "checkpoint.aside": "the blobs are in their places, the checkpoint is written and may not be on disk",
    "checkpoint.written": "a checkpoint is in its place; the server does not know",
    "restore.begun": "a checkpoint has been read; no variable is back",
}
IN_CARE = {
    "backup.copied": "a server has copied its database for a backup, and sent nothing",
    "backup.written": "a backup is written aside and checked",
    "restore.unpacked": "a backup is unpacked aside",
    "restore.placed": "a data folder is restored; nobody was told",
}
"""Every point, and what is the case there; the last ones are passed only when somebody asks for such a thing."""


@dataclass
class _Fault:
    """One point at which to die; ``left`` counts down the times that it is passed."""

    point: str
    server_too: bool
    left: int
    counting: threading.Lock = field(default_factory=threading.Lock)

    def passed(self) -> None:
        with self.counting:
            self.left -= 1
            if self.left == 0:
                parent = server or os.getppid()
                if self.server_too and parent == int(os.environ.get("JPY_PARENT_PID", 0)):
                    os.kill(parent, signal.SIGKILL)
                os.kill(os.getpid(), signal.SIGKILL)


def _read(said: str) -> _Fault | None:
    """Raises ``ValueError`` where no such point is declared, or the count is none."""
    if not said:
        return None
    place, _, count = said.partition(":")
    point, _, whose = place.partition("@")
    if point not in {*IN_A_SERVER, *IN_A_KERNEL, *IN_CARE} or whose not in ("", "server"):
        raise ValueError(f"{VARIABLE}={said!r}: there is no such point")
    return _Fault(point, whose == "server", int(count or 1))


server: int | None = None
"""In a kernel whose parent is not the server but a fork server: the server."""

_armed = _read(os.environ.get(VARIABLE, ""))


def point(name: str) -> None:
    """Die here, if that is what the environment asks for."""
    if _armed is not None and _armed.point == name:
        _armed.passed()
