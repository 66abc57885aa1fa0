"""The two channels of a kernel that flownb uses: shell, whose replies are the truth, and IOPub, which may lose some."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from jupyter_client.connect import ConnectionFileMixin
from jupyter_client.manager import KernelManager
from jupyter_client.session import Session

from flownb.bridge.port import KernelDied

Message = dict[str, Any]
Publisher = Callable[[str, Any], None]


@dataclass
class Request:
    """A request under way: its shell reply, and the kernel's word that nothing more will be published for it."""

    reply: asyncio.Future[Message]
    publish: Publisher
    idle: asyncio.Event = field(default_factory=asyncio.Event)


class Channels:
    """Sockets of our own to one kernel, each read by one task from ``open`` to ``close``."""

    def __init__(self, manager: KernelManager) -> None:
        self._session: Session = manager.session.clone()
        # A second client with the same session would be given this one's replies.
        self._session.session = str(uuid4())
        # The methods as they are defined: Jupyter Server's managers wrap the sockets into streams of their own.
        self._shell = ConnectionFileMixin.connect_shell(manager, identity=self._session.bsession)
        self._iopub = ConnectionFileMixin.connect_iopub(manager)
        self._requests: dict[str, Request] = {}
        self._heard = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._failure: Exception | None = None

    def open(self) -> None:
        self._tasks = [
            asyncio.create_task(self._read(self._shell, self._replied)),
            asyncio.create_task(self._read(self._iopub, self._published)),
        ]

    async def ready(self) -> None:
        """Wait until the kernel answers and its publications reach us; nothing sent from then on is missed."""
        while not self._heard.is_set():
            # A kernel that sends no welcome is heard at its first status after our subscription.
            await self.send("kernel_info_request", {}).reply
            with suppress(TimeoutError):
                await asyncio.wait_for(self._heard.wait(), 0.05)

    def send(
        self,
        kind: str,
        content: Message,
        metadata: Message | None = None,
        publish: Publisher = lambda kind, content: None,
    ) -> Request:
        """Send on the shell channel, at once and in order."""
        message = self._session.msg(kind, content, metadata=metadata)
        request = Request(asyncio.get_running_loop().create_future(), publish)
        self._requests[message["header"]["msg_id"]] = request
        if self._failure is not None:
            request.reply.set_exception(self._failure)
        else:
            # Not ``Session.send``: it goes past the socket's asyncio side, which then may sleep over a reply.
            self._shell.send_multipart(self._session.serialize(message))
        return request

    def fail(self, error: Exception) -> None:
        """No reply will come any more: all that wait, and all that ask from now on, are told why."""
        self._failure = error
        for request in self._requests.values():
            request.idle.set()
            if not request.reply.done():
                request.reply.set_exception(error)
                request.reply.exception()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._shell.close(linger=0)
        self._iopub.close(linger=0)

    async def _read(self, socket: Any, take: Callable[[Message, Message], None]) -> None:
        while True:
            parts = await socket.recv_multipart()
            try:
                _, frames = self._session.feed_identities(parts)
                message = self._session.deserialize(frames)
            except (ValueError, TypeError, IndexError):
                continue  # not from our kernel: unsigned, or signed with another key
            try:
                take(message, message["parent_header"])
            except Exception as error:  # nobody reads on: whoever waits for a reply has to know
                self.fail(KernelDied(f"what the kernel sent could not be taken: {error!r}"))
                raise

    def _replied(self, message: Message, parent: Message) -> None:
        request = self._requests.get(parent.get("msg_id", ""))
        if request is None:
            return
        if message["msg_type"] == "kernel_info_reply":
            del self._requests[parent["msg_id"]]
        if not request.reply.done():
            request.reply.set_result(message)

    def _published(self, message: Message, parent: Message) -> None:
        self._heard.set()
        request = self._requests.get(parent.get("msg_id", ""))
        if request is None:
            return
        content = message["content"]
        if message["msg_type"] == "status":
            if content["execution_state"] == "idle":
                request.idle.set()
        else:
            request.publish(message["msg_type"], content)

    def forget(self, request: Request) -> None:
        """The request is done with: later publications for it are dropped."""
        self._requests = {key: kept for key, kept in self._requests.items() if kept is not request}
