"""Places for kernels, on several gateways: each given away once, to whoever waits longest for one of its kind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

MANY = 1_000_000
"""The places of a gateway that limits nothing."""


@dataclass
class Host:
    """Where kernels can be: a gateway, or this machine. ``up`` is whether it answers."""

    name: str
    serves: Callable[[str | None], bool]
    weight: float
    slots: int | None
    source: Any
    up: bool = True
    why: str = ""
    used: int = 0
    spares: dict[object, Callable[[], None]] = field(default_factory=dict)

    @property
    def free(self) -> int:
        return (MANY if self.slots is None else self.slots) - self.used

    @property
    def worth(self) -> float:
        """What decides among several: weight times free places; a weight of 0 counts a little."""
        return (self.weight or 1e-6) * (self.free if self.slots is not None else MANY - self.used)


class Places:
    """Waiting is by event: a place that is freed, or a gateway that is back, goes to whoever has waited longest."""

    def __init__(self, hosts: Sequence[Host]) -> None:
        self.hosts = hosts
        self._waiting: dict[asyncio.Future[Host], str | None] = {}

    def of(self, label: str | None) -> list[Host]:
        return [host for host in self.hosts if host.serves(label)]

    async def take(self, label: str | None) -> Host:
        """A host with one place less; whoever takes it gives it back."""
        host = None if label in self._waiting.values() else self._best(label)
        if host is None:
            mine: asyncio.Future[Host] = asyncio.get_running_loop().create_future()
            self._waiting[mine] = label
            self._ask_back(label)
            try:
                return await mine
            except asyncio.CancelledError:
                if mine.done() and not mine.cancelled():
                    self.give(mine.result())
                raise
            finally:
                self._waiting.pop(mine, None)
        host.used += 1
        return host

    def give(self, host: Host) -> None:
        host.used -= 1
        self.changed()

    def changed(self) -> None:
        """There may be a place for somebody."""
        for mine, label in tuple(self._waiting.items()):
            host = self._best(label)
            if host is not None and not mine.done():
                host.used += 1
                del self._waiting[mine]
                mine.set_result(host)

    def spare(self, host: Host, kernel: object, wanted: Callable[[], None] | None) -> None:
        """A kernel that nobody uses goes, the one that has been idle longest first, where somebody needs its place."""
        host.spares.pop(kernel, None)
        if wanted is None:
            return
        if host.slots is not None and any(host.serves(label) for label in self._waiting.values()):
            wanted()
        else:
            host.spares[kernel] = wanted

    def _best(self, label: str | None) -> Host | None:
        able = [host for host in self.of(label) if host.up and host.free > 0]
        return max(able, key=lambda host: host.worth, default=None)

    def _ask_back(self, label: str | None) -> None:
        for host in self.of(label):
            if host.up and host.spares:
                host.spares.pop(next(iter(host.spares)))()
                return
