"""Speaking with a kernel that belongs to Jupyter: people run cells in it too."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from jupyter_client.manager import KernelManager

from flownb.bridge.conversation import Conversation


class Guest(Conversation):
    """One visit; the kernel stays when it is over."""

    def __init__(self, manager: KernelManager) -> None:
        super().__init__(manager)
        self._manager: Any = manager

    async def __aenter__(self) -> Guest:
        self._channels.open()
        await self._channels.ready()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._channels.close()

    async def interrupt(self) -> None:
        with suppress(Exception):
            await self._manager.interrupt_kernel()
