"""Speaking with a kernel that belongs to Jupyter: people run cells in it too."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any

from jupyter_client.manager import KernelManager

from flownb.bridge.channels import Channels
from flownb.bridge.conversation import Conversation
from flownb.bridge.death import death, describe
from flownb.bridge.port import KernelBusy, KernelDied
from flownb.core.model import Json


class Guest(Conversation):
    """One visit; the kernel stays when it is over.

    Entering raises ``KernelBusy`` where the kernel runs a cell for all of ``patience``, in seconds; it, and all that is
    asked then, raise ``KernelDied`` where it is gone.
    """

    def __init__(self, manager: KernelManager, patience: float) -> None:
        self._opened = Channels(manager)
        super().__init__(self._opened)
        self._manager: Any = manager
        self._patience = patience

    async def __aenter__(self) -> Guest:
        self._watch = asyncio.create_task(self._watched())
        self._opened.open()
        try:
            await asyncio.wait_for(self._channels.ready(), self._patience)
        except BaseException as error:
            await self.__aexit__()
            if isinstance(error, TimeoutError):
                raise KernelBusy("it runs a cell") from None
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        self._watch.cancel()
        await self._channels.close()

    async def ask_when_free(self, module: str, function: str) -> Json:
        """What a function of flownb's kernel side says; it is told until when it is of use, in seconds since 1970.

        Raises ``KernelBusy`` where the kernel runs a cell for all of ``patience``: the call stays in its queue.
        """
        free = self.send("", {}, None)  # right behind each other: no cell comes between
        answer = asyncio.create_task(self.ask(module, function, str(time.time() + self._patience)))
        try:
            await asyncio.wait_for(free.reply, self._patience)
        except TimeoutError:
            answer.cancel()
            raise KernelBusy("it runs a cell") from None
        return await answer

    async def _watched(self) -> None:
        how = describe(await death(self._manager.provisioner))
        self._channels.fail(KernelDied(f"the kernel died: {how}"))

    async def interrupt(self) -> None:
        with suppress(Exception):
            await self._manager.interrupt_kernel()
