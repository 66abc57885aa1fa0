"""The two channels of a kernel that flownb uses: shell, whose replies are the truth, and IOPub, which may lose some."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Any
from uuid import uuid4

from jupyter_client.connect import ConnectionFileMixin
from jupyter_client.manager import KernelManager
from jupyter_client.session import Session

from flownb.bridge.port import KernelDied

Message = dict[str, Any]
Publisher = Callable[[str, Any], None]


def _future() -> asyncio.Future[Message]:
    return asyncio.get_running_loop().create_future()


@dataclass
class Request:
    """A request under way: the content of its shell reply, and the word that nothing more will be published for it."""

    id: str
    publish: Publisher
    reply: asyncio.Future[Message] = field(default_factory=_future)
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    def fail(self, error: Exception) -> None:
        """Nothing more will come."""
        self.idle.set()
        if not self.reply.done():
            self.reply.set_exception(error)
            self.reply.exception()


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
        request = Request(message["header"]["msg_id"], publish)
        self._requests[request.id] = request
        if self._failure is not None:
            request.fail(self._failure)
        else:
            # Not ``Session.send``: it goes past the socket's asyncio side, which then may sleep over a reply.
            self._shell.send_multipart(self._session.serialize(message))
        return request

    def fail(self, error: Exception) -> None:
        """No reply will come any more: all that wait, and all that ask from now on, are told why."""
        self._failure = error
        for request in self._requests.values():
            request.fail(error)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._shell.close(linger=0)
        self._iopub.close(linger=0)

    async def _read(self, socket: Any, take: Callable[[Request | None, str, bytes], None]) -> None:
        while True:
            parts = await socket.recv_multipart()
            try:
                kind, parent, content = self._verified(*self._session.feed_identities(parts)[1][:5])
            except (ValueError, TypeError, LookupError):
                continue  # not from our kernel: unsigned, or signed with another key
            try:
                take(self._requests.get(parent), kind, content)
            except Exception as error:  # nobody reads on: whoever waits for a reply has to know
                self.fail(KernelDied(f"what the kernel sent could not be taken: {error!r}"))
                raise

    def _verified(
        self, signature: Any, header: Any, parent: Any, metadata: Any, content: Any
    ) -> tuple[str, str, bytes]:
        """The type of a message, the request that it belongs to, and its content, still packed.

        ``Session.deserialize`` parses all times too, which took longer than all the rest, and nobody reads them.
        Raises ``ValueError``, ``TypeError`` or ``LookupError`` where it is not a message of our kernel.
        """
        if not compare_digest(signature, self._session.sign([header, parent, metadata, content])):
            raise ValueError("it is signed with another key")
        return json.loads(header)["msg_type"], json.loads(parent).get("msg_id", ""), content

    def _replied(self, request: Request | None, kind: str, content: bytes) -> None:
        if request is None:
            return
        if kind == "kernel_info_reply":
            self.forget(request)
        if not request.reply.done():
            request.reply.set_result(json.loads(content))

    def _published(self, request: Request | None, kind: str, content: bytes) -> None:
        self._heard.set()
        if request is None:
            return
        if kind != "status":
            request.publish(kind, json.loads(content))
        elif json.loads(content)["execution_state"] == "idle":
            request.idle.set()

    def forget(self, request: Request) -> None:
        """The request is done with: later publications for it are dropped."""
        self._requests.pop(request.id, None)
