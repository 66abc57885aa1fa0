"""Kernels that stay with a suspended execution for a short time, so that a frequent poll pays for no start."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass

from flownb.bridge.life import answers
from flownb.bridge.port import Kernel
from flownb.core.model import Checkpoint, Execution


def _state(execution: Execution) -> tuple[str, Checkpoint | None]:
    """What a kernel has to fit: setup cells of this version, and this namespace."""
    return execution.version, execution.checkpoint


@dataclass
class _Kept:
    kernel: Kernel
    state: tuple[str, Checkpoint | None]
    leave: asyncio.Event
    taken: bool = False


class WarmKernels:
    """At most ``most`` kernels, each for at most ``seconds``; whoever has waited longest goes first."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._going: set[asyncio.Task[None]] = set()
        self.hits = 0

    @property
    def kept(self) -> int:
        """How many there are."""
        return len(self._kept)

    def put(self, execution: Execution, kernel: Kernel) -> None:
        """Keep the kernel of a suspended execution, whose namespace is that of its checkpoint."""
        self.drop(execution.id)
        kept = self._kept[execution.id] = _Kept(kernel, _state(execution), asyncio.Event())
        kernel.spare(kept.leave.set)
        task = asyncio.create_task(self._stay(execution.id, kept))
        task.add_done_callback(self._going.discard)
        self._going.add(task)
        if len(self._kept) > self._most:
            self.drop(next(iter(self._kept)))

    async def _stay(self, execution: str, kept: _Kept) -> None:
        kept.kernel.died.add_done_callback(lambda died: kept.leave.set())
        with suppress(TimeoutError):
            await asyncio.wait_for(kept.leave.wait(), self._seconds)
        if not kept.taken:
            if self._kept.get(execution) is kept:
                del self._kept[execution]
            await kept.kernel.shutdown()

    async def take(self, execution: Execution) -> Kernel | None:
        """The kernel with exactly the namespace of the execution's checkpoint, if it lives; the caller owns it then."""
        kept = self._kept.get(execution.id)
        if kept is None or kept.state != _state(execution):
            self.drop(execution.id)
            return None
        kept.taken = True
        kept.kernel.spare(None)
        self.drop(execution.id)
        alive = False
        try:
            alive = await answers(kept.kernel)
        finally:
            if not alive:
                await kept.kernel.shutdown()
        self.hits += alive
        return kept.kernel if alive else None

    def drop(self, execution: str) -> None:
        """Let the kernel of an execution go now."""
        if (kept := self._kept.pop(execution, None)) is not None:
            kept.leave.set()

    async def close(self) -> None:
        for execution in tuple(self._kept):
            self.drop(execution)
        await asyncio.gather(*self._going, return_exceptions=True)
