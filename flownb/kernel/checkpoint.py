"""The checkpoint of a step, made when the reply to its cell is on the way, and answered by a message of its own.

A kernel that dies while it pickles does not take the result of the step with it, and no second request is needed.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from flownb.core.jsonvalue import dumps
from flownb.core.reply import CHECKPOINT
from flownb.kernel import snapshot
from flownb.kernel.cells import running
from flownb.kernel.step import Step

Handler = Callable[[Any, Any, dict[str, Any]], Awaitable[None]]

_EXECUTE = "execute_request"

STOPS = 3
"""In each turn of its thread's loop, the reply goes one further: off the pair of sockets, into the stream, out."""

LONGEST_WAIT = 1.0
"""In seconds; whoever has stopped that thread has lost the reply anyway."""


def follow_cells(kernel: Any) -> None:
    """From now on ``kernel`` makes the checkpoints that cells ask for; once only, however often it is called."""
    execute: Handler = kernel.shell_handlers[_EXECUTE]
    if not isinstance(execute, _Followed):
        kernel.shell_handlers[_EXECUTE] = _Followed(kernel, execute)


class _Followed:
    def __init__(self, kernel: Any, execute: Handler) -> None:
        self._kernel = kernel
        self._execute = execute

    async def __call__(self, stream: Any, ident: Any, parent: dict[str, Any]) -> None:
        await self._execute(stream, ident, parent)
        if (told := parent["metadata"].get(CHECKPOINT)) is not None:
            _let_the_reply_leave(self._kernel)
            self._kernel.session.send(stream, CHECKPOINT, _saved(told), parent, ident=ident)


def _let_the_reply_leave(kernel: Any) -> None:
    """Pickling may keep all other threads waiting, among them the one that sends the reply, and may end the process."""
    sends = getattr(kernel, "shell_channel_thread", None)
    if sends is None:
        return
    left = threading.Event()
    turn = left.set
    for _ in range(STOPS):
        turn = partial(sends.io_loop.add_callback, turn)
    turn()
    left.wait(LONGEST_WAIT)


def _saved(told: dict[str, str]) -> dict[str, str]:
    cell = running()
    if not isinstance(cell, Step) or not cell.succeeded:
        return {"status": "error", "ename": "NotRun", "evalue": "the cell raised"}
    try:
        return {"status": "ok", "reply": dumps(snapshot.save(**told).content)}
    except BaseException as error:  # an interrupt, too: whoever waits is to know
        return {"status": "error", "ename": type(error).__name__, "evalue": str(error)}
