"""A few spare kernels, started ahead of need."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from typing import Generic, Protocol, TypeVar

from flownb.bridge.port import Kernel, KernelError, Spec

K = TypeVar("K", bound=Kernel)


class Source(Protocol[K]):
    """Where spare kernels come from, and how one is given to an execution."""

    async def start(self, spec: Spec) -> K: ...

    async def spare(self, kernelspec: str) -> K: ...

    async def settle(self, kernel: K, spec: Spec) -> None: ...

    async def close(self) -> None: ...


class Pool(Generic[K]):
    """Keeps ``size`` kernels ready of each kernelspec that has been asked for; none before the first execution."""

    def __init__(self, source: Source[K], size: int) -> None:
        self._source = source
        self._size = size
        self._ready: dict[str, deque[asyncio.Task[K]]] = defaultdict(deque)

    async def start(self, spec: Spec) -> K:
        """A spare kernel if there is one, else a new one; raises as that does."""
        kernel = await self._take(spec.kernelspec)
        self._fill(spec.kernelspec)
        if kernel is None:
            return await self._source.start(spec)
        await self._source.settle(kernel, spec)
        return kernel

    async def _take(self, kernelspec: str) -> K | None:
        """The oldest spare that lives; where it is still starting, that is waited for."""
        ready = self._ready[kernelspec]
        while ready:
            task = ready.popleft()
            try:
                kernel = await asyncio.shield(task)
            except KernelError:
                continue
            except asyncio.CancelledError:
                ready.appendleft(task)
                raise
            if not kernel.died.done():
                return kernel
            await kernel.shutdown()
        return None

    def _fill(self, kernelspec: str) -> None:
        ready = self._ready[kernelspec]
        while len(ready) < self._size:
            ready.append(asyncio.create_task(self._source.spare(kernelspec)))

    async def close(self) -> None:
        tasks = [task for ready in self._ready.values() for task in ready]
        self._ready.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._source.close()
