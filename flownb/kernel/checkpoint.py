"""The checkpoint of a step, made when the reply to its cell is on the way, and answered by a message of its own.

A kernel that dies while it pickles does not take the result of the step with it, and no second request is needed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from flownb.core.jsonvalue import dumps
from flownb.core.reply import CHECKPOINT
from flownb.kernel import snapshot
from flownb.kernel.cells import running
from flownb.kernel.step import Step

Handler = Callable[[Any, Any, dict[str, Any]], Awaitable[None]]

_EXECUTE = "execute_request"


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
            self._kernel.session.send(stream, CHECKPOINT, _saved(told), parent, ident=ident)


def _saved(told: dict[str, str]) -> dict[str, str]:
    cell = running()
    if not isinstance(cell, Step) or not cell.succeeded:
        return {"status": "error", "ename": "NotRun", "evalue": "the cell raised"}
    try:
        return {"status": "ok", "reply": dumps(snapshot.save(**told).content)}
    except BaseException as error:  # an interrupt, too: whoever waits is to know
        return {"status": "error", "ename": type(error).__name__, "evalue": str(error)}
