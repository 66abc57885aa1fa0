"""The API's calls for executions that go to another machine, or come from one."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import IO

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core.errors import InvalidValue
from flownb.server.body import TooLarge
from flownb.server.handler import FlowHandler
from flownb.store.packing import CannotImport

PIECE = 1024 * 1024

LONGEST_ADDRESS = 2_000


class ExportHandler(FlowHandler):
    """An execution as one file."""

    @web.authenticated
    @authorized
    async def get(self, execution_id: str) -> None:
        if not await self.may_write():  # the variables are in it, and what people have said
            raise web.HTTPError(403)
        async with self.active.moves.exported(execution_id) as path:
            self.set_header("Content-Type", "application/zip")
            self.set_header("Content-Length", str(path.stat().st_size))
            self.set_header("Content-Disposition", f'attachment; filename="{path.name}"')
            with path.open("rb") as file:
                while piece := await asyncio.to_thread(file.read, PIECE):
                    self.write(piece)
                    await self.flush()
        self.finish()


@web.stream_request_body
class ImportHandler(FlowHandler):
    """A file that came from another machine; it goes to the disk as it arrives.

    Variables are code: who sends a file may run what they like here, so the right to ``execute`` is needed.
    """

    _file: IO[bytes] | None = None

    async def prepare(self) -> None:  # type: ignore[override]  # as in Jupyter's own handlers
        await super().prepare()
        if self._finished:
            return
        for right in ("write", "execute"):
            if self.current_user is None or not await self.may(right):
                raise web.HTTPError(403)
        self._size, self._most = 0, self._service.config.max_import_bytes
        self.request.connection.set_max_body_size(self._most + PIECE)  # type: ignore[union-attr]
        folder = self._service.config.data_dir
        self._file = tempfile.NamedTemporaryFile(dir=folder, prefix="import-", suffix=".flownb")  # noqa: SIM115

    async def data_received(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._file is not None and self._size <= self._most:
            await asyncio.to_thread(self._file.write, chunk)

    @web.authenticated
    @authorized
    async def post(self) -> None:
        assert self._file is not None
        if self._size > self._most:
            raise TooLarge(self._most, "max_import_bytes")
        if not self._size:
            raise CannotImport("there is no file in the request")
        self._file.flush()
        execution = await self.active.moves.take_in(Path(self._file.name))
        self.set_header("Location", f"{self.request.path.rpartition('/')[0]}/{execution.id}")
        self.answer(201, await self.view(execution))

    def on_finish(self) -> None:
        super().on_finish()
        if self._file is not None:
            self._file.close()


class MovedHandler(FlowHandler):
    """The execution goes on elsewhere."""

    @web.authenticated
    @authorized
    async def post(self, execution_id: str) -> None:
        body = self.body("to", "head")
        to, head = body.get("to"), body.get("head")
        if to is not None and not (isinstance(to, str) and 0 < len(to) <= LONGEST_ADDRESS and to.isprintable()):
            raise InvalidValue("`to` is the address of the other machine, or null where it is not known yet")
        if head is not None and not isinstance(head, str):
            raise InvalidValue("`head` is the head of the journal in the file that was exported")
        self.answer(200, await self.view(await self.active.moves.moved(execution_id, to, head)))


ROUTES: list[tuple[str, type[FlowHandler]]] = [
    (r"/flownb/api/executions/import", ImportHandler),
    (r"/flownb/api/executions/([^/]+)/export", ExportHandler),
    (r"/flownb/api/executions/([^/]+)/moved", MovedHandler),
]
