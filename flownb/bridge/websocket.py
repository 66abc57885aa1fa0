"""The channels of a kernel behind a gateway: JSON on a websocket, which is made again where it breaks."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from jupyter_client.jsonutil import json_default
from jupyter_client.session import Session
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError

from flownb.bridge.gateway import START_SECONDS, Gateway
from flownb.bridge.port import GatewayLost, KernelDied, KernelError
from flownb.bridge.requests import Message, Request, Requests

LOST_SECONDS = 5.0
"""A gateway that has not answered for so long is lost, and with it what its kernels do."""

FIRST_WAIT, LONGEST_WAIT = 0.05, 1.0
"""Seconds between two tries to reach it; the first, and the most."""

CLOSE_SECONDS = 1.0
"""A gateway answers the word that a connection is over within that time, or is not waited for."""

TOO_BIG = 1009
"""Of RFC 6455: why a websocket was closed."""

ENDED = {"restarting": "its process ended, and the gateway started another", "dead": "its process ended"}


class WebSocketChannels(Requests):
    """One connection, read by one task from ``open`` to ``close``; ``gone`` hears how the kernel ended, or was lost."""

    def __init__(self, gateway: Gateway, kernel: str, gone: Callable[[KernelError], None]) -> None:
        super().__init__()
        self._gateway = gateway
        self._kernel = kernel
        self._gone = gone
        self._session = Session()
        self._connection: WebSocketClientConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self._process: str | None = None

    async def open(self) -> None:
        """Raises ``GatewayLost``."""
        # A gateway shakes hands once the kernel answers.
        self._connection = await self._connect(START_SECONDS)
        self._task = asyncio.create_task(self._read_on())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._connection is not None:
            self._connection.close()
            with suppress(TimeoutError):
                await asyncio.wait_for(_drained(self._connection), CLOSE_SECONDS)

    def _message(self, kind: str, content: Message, metadata: Message | None) -> Message:
        return self._session.msg(kind, content, metadata=metadata)

    def _transmit(self, message: Message) -> None:
        assert self._connection is not None
        with suppress(WebSocketClosedError):  # whoever reads finds out, and what became of it
            self._connection.write_message(json.dumps({**message, "channel": "shell"}, default=json_default))

    async def _connect(self, seconds: float) -> WebSocketClientConnection:
        # The same session again: a gateway keeps what comes meanwhile for it.
        return await self._gateway.connect(self._kernel, self._session.session, seconds)

    async def _read_on(self) -> None:
        try:
            while True:
                await self._read()
                await self._reconnect()
        except KernelError as error:
            self.fail(error)
            self._gone(error)
        except Exception as error:  # nobody reads on: whoever waits for a reply has to know
            self.fail(KernelDied(f"what the kernel sent could not be taken: {error!r}"))
            raise

    async def _read(self) -> None:
        """Until the connection breaks; raises ``KernelDied`` where the kernel is not the one it was."""
        assert self._connection is not None
        quick = _quick(self._connection)
        while (message := await self._connection.read_message()) is not None:
            quick()
            self._take(_unpacked(message))
        if self._connection.close_code == TOO_BIG:
            raise KernelDied("a message was larger than its gateway takes: its `websocket_max_message_size` is too low")

    def _take(self, message: Message) -> None:
        kind, parent = message["header"]["msg_type"], message["parent_header"].get("msg_id", "")
        if message["channel"] == "shell":
            self._demand_same(message["header"].get("session"))
            self._replied(kind, parent, lambda: message["content"])
        elif message["channel"] == "iopub":
            how = ENDED.get(message["content"].get("execution_state", "")) if kind == "status" else None
            if how is not None:
                raise KernelDied(f"the kernel died: {how}")
            self._published(kind, parent, lambda: message["content"])

    def _demand_same(self, process: str | None) -> None:
        """The session of what a kernel sends is its process's own; raises ``KernelDied`` where it is a new one."""
        self._process = self._process or process
        if process != self._process:
            raise KernelDied(f"the kernel died: {ENDED['restarting']}")

    async def _reconnect(self) -> None:
        """Raises ``KernelDied`` where the kernel is gone, ``GatewayLost`` where the gateway is, or was for a moment."""
        assert self._connection is not None
        self._connection.close()
        loop = asyncio.get_running_loop()
        until, wait, lost = loop.time() + LOST_SECONDS, FIRST_WAIT, False
        while True:
            try:
                if await asyncio.wait_for(self._gateway.knows(self._kernel), LOST_SECONDS):
                    self._connection = await self._connect(LOST_SECONDS)
                    break
            except (GatewayLost, TimeoutError) as error:
                lost = True
                if loop.time() + wait > until:
                    raise GatewayLost(str(error) or f"gateway {self._gateway.access.name!r} does not answer") from None
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
            else:
                if lost:  # it was started anew, without its kernels
                    raise GatewayLost(f"gateway {self._gateway.access.name!r} was gone, and its kernels with it")
                raise KernelDied("the kernel died: its gateway knows it no more")
        before = list(self._requests.values())
        # The kernel answers in order: what has no answer by then has lost it, or never arrived.
        self.send("kernel_info_request", {}).reply.add_done_callback(lambda answered: self._give_up(before))

    def _give_up(self, requests: list[Request]) -> None:
        for request in requests:
            request.fail(GatewayLost("the answer was lost with the connection to the gateway"))


async def _drained(connection: WebSocketClientConnection) -> None:
    while await connection.read_message() is not None:
        pass


def _unpacked(message: str | bytes) -> Message:
    """Of what has binary parts besides, the JSON."""
    if isinstance(message, bytes):
        parts = struct.unpack_from("!I", message)[0]
        begin, *ends = (*struct.unpack_from(f"!{parts}I", message, 4), len(message))
        message = message[begin : ends[0]].decode()
    unpacked: Message = json.loads(message)
    return unpacked


def _quick(connection: WebSocketClientConnection) -> Callable[[], None]:
    """Acknowledges what has come at once, where the system can be asked to: gateways wait for that before they go on.

    It has to be asked again each time. It is the difference between 50 ms and 7 ms a cell.
    """
    stream: Any = connection.protocol.stream if connection.protocol is not None else None
    if stream is None or not hasattr(socket, "TCP_QUICKACK") or stream.socket is None:
        return lambda: None
    peer: socket.socket = stream.socket
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def acknowledge() -> None:
        with suppress(OSError):
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    acknowledge()
    return acknowledge
