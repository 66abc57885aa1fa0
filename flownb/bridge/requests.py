"""What is asked of a kernel and what it says: shell, whose replies are the truth, and IOPub, which may lose some."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

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


class Requests(ABC):
    """The requests to one kernel; how they get there and back is for a subclass to say."""

    def __init__(self) -> None:
        self._requests: dict[str, Request] = {}
        self._heard = asyncio.Event()
        self._failure: Exception | None = None

    @abstractmethod
    def _message(self, kind: str, content: Message, metadata: Message | None) -> Message:
        """As the session of ``jupyter_client`` makes them."""

    @abstractmethod
    def _transmit(self, message: Message) -> None:
        """Send on the shell channel, at once and in order."""

    @abstractmethod
    async def close(self) -> None:
        """Nothing is sent or heard any more."""

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
        message = self._message(kind, content, metadata)
        request = Request(message["header"]["msg_id"], publish)
        self._requests[request.id] = request
        if self._failure is not None:
            request.fail(self._failure)
        else:
            self._transmit(message)
        return request

    def fail(self, error: Exception) -> None:
        """No reply will come any more: all that wait, and all that ask from now on, are told why."""
        self._failure = error
        for request in self._requests.values():
            request.fail(error)

    def forget(self, request: Request) -> None:
        """The request is done with: later publications for it are dropped."""
        self._requests.pop(request.id, None)

    def _replied(self, kind: str, parent: str, content: Callable[[], Message]) -> None:
        request = self._requests.get(parent)
        if request is None:
            return
        if kind == "kernel_info_reply":
            self.forget(request)
        if not request.reply.done():
            request.reply.set_result(content())

    def _published(self, kind: str, parent: str, content: Callable[[], Message]) -> None:
        """``content`` unpacks it; what nobody asked for is not unpacked."""
        self._heard.set()
        request = self._requests.get(parent)
        if request is None:
            return
        if kind != "status":
            request.publish(kind, content())
        elif content()["execution_state"] == "idle":
            request.idle.set()


def unpacked(content: bytes) -> Callable[[], Message]:
    """What reads the JSON, when it is needed."""
    return lambda: json.loads(content)
