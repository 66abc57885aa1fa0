"""Kernels that stay with a suspended execution for a short time, so that a frequent poll pays for no start."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass

from flownb.bridge.life import answers
from flownb.bridge.port import Kernel
from flownb.core.model import Checkpoint


@dataclass
class _Kept:
    kernel: Kernel
    checkpoint: Checkpoint
    leave: asyncio.Event
    taken: bool = False


class WarmKernels:
    """At most ``most`` kernels, each for at most ``seconds``; whoever has waited longest goes first."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._going: set[asyncio.Task[None]] = set()

    def put(self, execution: str, kernel: Kernel, checkpoint: Checkpoint) -> None:
        """Keep the kernel of a suspended execution, whose namespace is that of ``checkpoint``."""
        self.drop(execution)
        kept = self._kept[execution] = _Kept(kernel, checkpoint, asyncio.Event())
        task = asyncio.create_task(self._stay(execution, kept))
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

    async def take(self, execution: str, checkpoint: Checkpoint | None) -> Kernel | None:
        """The kernel that has exactly this checkpoint's namespace, and lives; the caller owns it from now on."""
        kept = self._kept.get(execution)
        if kept is None or kept.checkpoint != checkpoint:
            self.drop(execution)
            return None
        kept.taken = True
        self.drop(execution)
        alive = False
        try:
            alive = await answers(kept.kernel)
        finally:
            if not alive:
                await kept.kernel.shutdown()
        return kept.kernel if alive else None

    def drop(self, execution: str) -> None:
        """Let the kernel of an execution go now."""
        if (kept := self._kept.pop(execution, None)) is not None:
            kept.leave.set()

    async def close(self) -> None:
        for execution in tuple(self._kept):
            self.drop(execution)
        await asyncio.gather(*self._going, return_exceptions=True)
