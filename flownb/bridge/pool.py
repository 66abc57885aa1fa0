"""A few kernels that are parked, ready for a cell, ahead of need."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Coroutine
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from flownb.bridge.life import answers
from flownb.bridge.port import Kernel, KernelError, Spec

K = TypeVar("K", bound=Kernel)
K_co = TypeVar("K_co", bound=Kernel, covariant=True)

MOST = 4
"""Kernels parked in all: each takes 20 to 80 MB."""

REST_SECONDS = 0.2
"""A kernel that was taken is replaced when no other start has been asked for so long: those that wait come first."""


class Source(Protocol[K_co]):
    """Where kernels come from."""

    async def start(self, spec: Spec) -> K_co: ...

    async def expect(self, kernelspec: str) -> None: ...

    async def close(self) -> None: ...


class Pool(Generic[K]):
    """Keeps ``size`` kernels parked for each kernelspec and folder that was asked for lately.

    None before the first execution, and ``MOST`` in all: what was used least lately goes.
    """

    def __init__(self, source: Source[K], size: int) -> None:
        self._source = source
        self._size = size
        self._parked: OrderedDict[_Key, deque[asyncio.Task[K]]] = OrderedDict()
        self._starting = 0
        self._resting: asyncio.TimerHandle | None = None
        self._wanted: dict[_Key, Spec] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self.taken = {"parked": 0, "new": 0}

    @property
    def parked(self) -> int:
        return sum(map(len, self._parked.values()))

    async def start(self, spec: Spec) -> K:
        """A parked kernel if there is one, else a new one; raises as that does."""
        self._starting += 1
        try:
            parked = await self._take(spec)
            kernel = parked or await self._source.start(spec)
            self.taken["new" if parked is None else "parked"] += 1
        finally:
            self._starting -= 1
            self._rest()
        if self._size:
            self._wanted[_key(spec)] = spec
        return kernel

    async def expect(self, kernelspec: str) -> None:
        await self._source.expect(kernelspec)

    async def _take(self, spec: Spec) -> K | None:
        """The one that has been parked longest and answers; where it is still starting, that is waited for."""
        parked = self._parked.get(_key(spec), deque())
        while parked:
            task = parked.popleft()
            try:
                kernel = await asyncio.shield(task)
            except KernelError:
                continue
            except asyncio.CancelledError:
                parked.appendleft(task)
                raise
            kernel.spare(None)
            if await self._is_fit(kernel, spec):
                return kernel
        return None

    async def _is_fit(self, kernel: K, spec: Spec) -> bool:
        """Whether it answers, from its folder: there may be another of the same name since; else it goes."""
        fit = False
        try:
            fit = not kernel.died.done() and await answers(kernel, "boot", "enter", str(spec.cwd))
        finally:
            if not fit:
                kernel.dismiss()
        return fit

    def _rest(self) -> None:
        if self._resting is not None:
            self._resting.cancel()
        self._resting = asyncio.get_running_loop().call_later(REST_SECONDS, self._fill)

    def _fill(self) -> None:
        """Park what was taken, unless others wait to be started."""
        if self._starting:
            return  # the last of them rests
        while self._wanted:
            key, spec = self._wanted.popitem()
            parked = self._parked.setdefault(key, deque())
            self._parked.move_to_end(key)
            while len(parked) < self._size:
                parked.append(task := asyncio.create_task(self._source.start(spec)))
                task.add_done_callback(partial(self._arrived, parked))
        while self.parked > max(MOST, self._size):
            for task in self._parked.popitem(last=False)[1]:
                self._own(_end(task))

    def _arrived(self, parked: deque[asyncio.Task[K]], task: asyncio.Task[K]) -> None:
        """A kernel is parked: it goes where its place is needed for another."""
        if task in parked and not task.cancelled() and task.exception() is None:
            task.result().spare(partial(self._leave, parked, task))

    def _leave(self, parked: deque[asyncio.Task[K]], task: asyncio.Task[K]) -> None:
        parked.remove(task)
        task.result().dismiss()

    def _own(self, ending: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(ending)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        if self._resting is not None:
            self._resting.cancel()
        tasks = [task for parked in self._parked.values() for task in parked]
        self._parked.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *self._tasks, return_exceptions=True)
        await self._source.close()


_Key = tuple[object, ...]


def _key(spec: Spec) -> _Key:
    environment = tuple(sorted(spec.environment.items()))
    return spec.kernelspec, str(spec.cwd), spec.memory_limit, spec.nice, environment, spec.gateway


async def _end(task: asyncio.Task[Any]) -> None:
    """End a parked kernel, or its start."""
    task.cancel()
    try:
        kernel = await task
    except (KernelError, asyncio.CancelledError):
        return
    await kernel.shutdown()
