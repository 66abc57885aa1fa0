"""Snapshots of kernels that do not see the data folder: sent and fetched by HTTP, with the key of an execution.

``PUT`` takes an object from an offset on, as ``Content-Range`` says, and is answered 409 where that is not how much is
here already; ``HEAD`` says in ``Upload-Offset`` how much of it is here, ``GET`` gives it from an offset on. Nothing is
held in memory but a piece of a request, and an object counts as here only when its content is what was announced.
"""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import IO, Any

from jupyter_server.auth.decorator import allow_unauthenticated
from tornado import web
from tornado.iostream import StreamClosedError

from flownb.core.errors import FlowNBError
from flownb.server.by_key import KeyHandler
from flownb.server.kernel_key import demand_running, proven, shown_key
from flownb.server.service import Service, Unavailable
from flownb.store.incoming import CHECKPOINT, DIGEST, MOST, OBJECT, Incoming, NotSound
from flownb.store.snapshots import Snapshots
from flownb.store.writer import StoreError

PIECE = 1024 * 1024
"""Bytes that go to a file, or come from one, at a time."""

_SPAN = re.compile(r"bytes (\d{1,12})-(\d{1,12})/(\d{1,12})")
_FROM = re.compile(r"bytes=(\d{1,12})-")


class Received:
    """How much came in of each execution's snapshot that is not whole yet, and which request writes which object."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes: dict[str, int] = {}
        self.writing: dict[Incoming, SnapshotHandler] = {}

    def fits(self, execution: str, size: int) -> bool:
        return not self._most or self._bytes.get(execution, 0) + size <= self._most + MOST[CHECKPOINT]

    def count(self, execution: str, name: str, size: int) -> None:
        """A checkpoint is the last that comes of a snapshot."""
        if name.endswith(CHECKPOINT):
            self._bytes.pop(execution, None)
        else:
            self._bytes[execution] = self._bytes.get(execution, 0) + size


@web.stream_request_body
class SnapshotHandler(KeyHandler):
    """One object: a checkpoint or a blob."""

    def initialize(self, service: Service, received: Received) -> None:
        self._service = service
        self._received = received
        self._held: list[bytes] = []
        self._file: IO[bytes] | None = None
        self._at_work = False

    async def prepare(self) -> None:
        try:
            self._execution = await self._allowed()
        except FlowNBError as error:
            code = 503 if isinstance(error, Unavailable | StoreError) else 403
            self._refuse(code, str(error), error.reason)
            return
        snapshots = self._service.active.snapshots
        if not isinstance(snapshots, Snapshots) or not OBJECT.fullmatch(self.path_args[0]):
            self._refuse(404, "there is no such object", "not_found")
            return
        self._object = Incoming(snapshots, self._execution, self.path_args[0])
        if self.request.method == "PUT":
            await self._begin()

    async def _allowed(self) -> str:
        """The execution whose key was shown; raises ``NotRunning``, ``Unavailable`` or ``StoreError``."""
        active = self._service.active
        shown = shown_key(self.request.headers.get("Authorization", ""))
        opened = active.openings.of_kernel(shown)
        if opened is not None:
            return opened.execution.id
        execution, segment = proven(active.links.key, shown)
        await active.store.read(partial(demand_running, execution=execution, segment=segment))
        return execution

    async def _begin(self) -> None:
        span = _SPAN.fullmatch(self.request.headers.get("Content-Range", ""))
        first, last, size = (int(number) for number in span.groups()) if span else (0, 0, 0)
        if not 0 <= first <= last == size - 1 or self.request.headers.get("Content-Length") != str(size - first):
            self._refuse(400, "Content-Range says from where to the end the object comes", "bad_request")
        elif size > self._object.most or not self._received.fits(self._execution, size):
            self._refuse(413, "the snapshot takes more bytes than it may (c.FlowNB.max_snapshot_bytes)", "too_large")
        else:
            self._received.writing[self._object] = self  # another request for it has lost its connection
            self._size = size
            file, here = await asyncio.to_thread(self._object.open)
            if here == first:
                self._file = file
            else:
                file.close()
                self._refuse(409, f"{here} bytes of it are here", "offset", here)

    async def data_received(self, chunk: bytes) -> None:
        if self._finished or self._file is None:
            return
        self._held.append(chunk)
        if len(self._held) * len(chunk) >= PIECE:
            await self._write()

    async def _write(self) -> None:
        file = self._file
        if file is not None and self._received.writing.get(self._object) is self:
            held, self._held = self._held, []
            self._at_work = True
            try:
                await asyncio.to_thread(file.writelines, held)
            finally:
                self._at_work = False
                if self._file is None:  # the connection was lost meanwhile
                    file.close()

    @allow_unauthenticated
    async def put(self, name: str) -> None:
        await self._write()
        if self._file is None:
            return
        self._file.close()
        try:
            await asyncio.to_thread(self._object.finish, self._size, self.request.headers.get(DIGEST, ""))
        except NotSound as error:
            self._refuse(409, str(error), "offset", 0)
        except OSError as error:
            self._refuse(507, f"the server cannot keep it: {error.strerror}", "error")
        else:
            self._received.count(self._execution, name, self._size)
            self.set_status(201)
            self.finish()

    @allow_unauthenticated
    async def head(self, name: str) -> None:
        whole, size = await asyncio.to_thread(self._object.size)
        if not whole:
            self._refuse(404, "it is not here as a whole", "not_found", size)
            return
        self.set_header("Content-Length", str(size))
        self.finish()

    @allow_unauthenticated
    async def get(self, name: str) -> None:
        try:
            file, size = await asyncio.to_thread(self._object.read)
        except FileNotFoundError:
            self._refuse(404, "it is not here", "not_found")
            return
        asked = _FROM.fullmatch(self.request.headers.get("Range", "bytes=0-"))
        first = min(int(asked[1]), size) if asked else 0
        self.set_status(206 if first else 200)
        self.set_header("Content-Length", str(size - first))
        self.set_header("Content-Type", "application/octet-stream")
        try:
            await asyncio.to_thread(file.seek, first)
            while piece := await asyncio.to_thread(file.read, PIECE):
                self.write(piece)
                await self.flush()
        except StreamClosedError:  # the kernel asks again for the rest
            return
        finally:
            file.close()
        self.finish()

    def on_connection_close(self) -> None:
        """What has come so far is kept; to go on, the kernel asks how much that is."""
        file, self._file = self._file, None
        if file is not None and not self._at_work:
            file.close()

    def on_finish(self) -> None:
        if hasattr(self, "_object") and self._received.writing.get(self._object) is self:
            del self._received.writing[self._object]

    def _log(self) -> None:
        """In the access log, but for what is every day's: that an object is not here, or not all of it."""
        if self.get_status() not in (404, 409):
            super()._log()

    def _refuse(self, code: int, message: str, reason: str, offset: int | None = None) -> None:
        if offset is not None:
            self.set_header("Upload-Offset", str(offset))
        self._answer(code, {"message": message, "reason": reason})


def routes(service: Service, max_snapshot_bytes: int) -> list[tuple[str, Any, Any]]:
    arguments = {"service": service, "received": Received(max_snapshot_bytes)}
    return [(r"/flownb/kernel/snapshots/([\w./-]{1,100})", SnapshotHandler, arguments)]
