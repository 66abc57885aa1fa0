"""A kernel behind a gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from flownb.bridge.conversation import Conversation
from flownb.bridge.gateway import ANSWER_SECONDS, START_SECONDS, Gateway
from flownb.bridge.kernel_side import KernelSide
from flownb.bridge.port import GatewayLost, KernelDied, KernelError, KernelStartFailed, Spec
from flownb.bridge.websocket import WebSocketChannels


class RemoteKernel(Conversation):
    """A kernel of our own, which others on the same gateway may see all the same.

    ``gone`` is called once, when it has ended, with whether the gateway knows that.
    """

    def __init__(self, gateway: Gateway, kernel: str, slot: RemoteSlot) -> None:
        self._websocket = WebSocketChannels(gateway, kernel, self._lost)
        super().__init__(self._websocket)
        self._gateway = gateway
        self._kernel = kernel
        self._slot = slot
        self._ending: asyncio.Task[None] | None = None
        self.warnings: tuple[str, ...] = ()
        self.died: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def ready(self, side: KernelSide, spec: Spec) -> None:
        """Raises ``KernelStartFailed``, ``KernelDied`` or ``GatewayLost``."""
        await self._websocket.open()
        try:
            await asyncio.wait_for(self._channels.ready(), START_SECONDS)
        except TimeoutError:
            raise KernelStartFailed(f"it did not answer within {START_SECONDS:.0f} s") from None
        said = await self.prepare(side, spec, elsewhere=True)
        if not said["there"]:
            where = f"gateway {self._gateway.access.name!r}"
            self.warnings = (f"on {where} there is no folder {spec.cwd}: files of the notebook's folder are not found",)

    def _lost(self, error: KernelError) -> None:
        if not self.died.done():
            self.died.set_result(str(error))
        if isinstance(error, GatewayLost):
            self._slot.lost(str(error))

    def spare(self, wanted: Callable[[], None] | None) -> None:
        self._slot.spare(wanted)

    async def interrupt(self) -> None:
        with suppress(KernelError):
            await self._gateway.interrupt(self._kernel)

    async def shutdown(self) -> None:
        await asyncio.shield(self._end_once())

    def dismiss(self) -> None:
        self._end_once()

    def _end_once(self) -> asyncio.Task[None]:
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())
        return self._ending

    async def _end(self) -> None:
        self._channels.fail(KernelDied("the kernel was shut down"))
        await self._channels.close()
        ended = False
        with suppress(KernelError, TimeoutError):
            await asyncio.wait_for(self._gateway.end(self._kernel), ANSWER_SECONDS)
            ended = True
        self._slot.free(self, ended)


class RemoteSlot:
    """What a kernel has of the gateway that it is on: its place there."""

    def lost(self, why: str) -> None:
        """The gateway does not answer."""
        raise NotImplementedError

    def spare(self, wanted: Callable[[], None] | None) -> None:
        """As for a kernel."""
        raise NotImplementedError

    def free(self, kernel: RemoteKernel, ended: bool) -> None:
        """The place is free; unless it ``ended``, the kernel may still be there."""
        raise NotImplementedError
