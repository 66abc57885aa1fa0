"""The two channels of a kernel on this machine that flownb uses, over ZMQ."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from hmac import compare_digest
from typing import Any
from uuid import uuid4

from jupyter_client.connect import ConnectionFileMixin
from jupyter_client.manager import KernelManager
from jupyter_client.session import Session

from flownb.bridge.port import KernelDied
from flownb.bridge.requests import Message, Requests, unpacked


class Channels(Requests):
    """Sockets of our own to one kernel, each read by one task from ``open`` to ``close``."""

    def __init__(self, manager: KernelManager) -> None:
        super().__init__()
        self._session: Session = manager.session.clone()
        # A second client with the same session would be given this one's replies.
        self._session.session = str(uuid4())
        # The methods as they are defined: Jupyter Server's managers wrap the sockets into streams of their own.
        self._shell = ConnectionFileMixin.connect_shell(manager, identity=self._session.bsession)
        self._iopub = ConnectionFileMixin.connect_iopub(manager)
        self._tasks: list[asyncio.Task[None]] = []

    def open(self) -> None:
        self._tasks = [
            asyncio.create_task(self._read(self._shell, self._replied)),
            asyncio.create_task(self._read(self._iopub, self._published)),
        ]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._shell.close(linger=0)
        self._iopub.close(linger=0)

    def _message(self, kind: str, content: Message, metadata: Message | None) -> Message:
        return self._session.msg(kind, content, metadata=metadata)

    def _transmit(self, message: Message) -> None:
        # Not ``Session.send``: it goes past the socket's asyncio side, which then may sleep over a reply.
        self._shell.send_multipart(self._session.serialize(message))

    async def _read(self, socket: Any, take: Callable[[str, str, Callable[[], Message]], None]) -> None:
        while True:
            parts = await socket.recv_multipart()
            try:
                kind, parent, content = self._verified(*self._session.feed_identities(parts)[1][:5])
            except (ValueError, TypeError, LookupError):
                continue  # not from our kernel: unsigned, or signed with another key
            try:
                take(kind, parent, unpacked(content))
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
