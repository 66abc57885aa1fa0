"""The API's call for a backup."""

from __future__ import annotations

import asyncio
from functools import partial

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core.times import iso
from flownb.server.handler import FlowHandler
from flownb.store import backup
from flownb.store.backup import CannotBackUp
from flownb.store.folder import DataFolder

NOTED = "backup"
"""What is noted: when the latest backup had been sent, in ms since 1970."""


class BackupHandler(FlowHandler):
    """The data folder as one file. The key is in it, so it takes every right that there is."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        for right in ("write", "execute"):
            may = self.authorizer.is_authorized(self, self.current_user, right, self.auth_resource)
            if not await ensure_async(may):
                raise web.HTTPError(403)
        active = self.active
        if self._service.config.store:
            raise CannotBackUp(
                f"the store is in Postgres: back it up with pg_dump, and after that the folder {active.folder.root}, "
                "which has the key and the snapshots"
            )
        if active.caring.locked():
            raise CannotBackUp("another backup is being made: wait for its end")
        async with active.caring:
            try:
                await self._stream(active.folder, self._service.clock.now())
            finally:
                await asyncio.to_thread(backup.end, active.folder)
            await active.store.note(NOTED, self._service.clock.now())

    async def _stream(self, folder: DataFolder, now: int) -> None:
        await asyncio.to_thread(backup.begin, folder)
        self.set_header("Content-Type", "application/x-tar")
        self.set_header("Content-Disposition", 'attachment; filename="flownb.tar"')
        rest = backup.pieces(folder, iso(now))
        while (piece := await asyncio.to_thread(partial(next, rest, None))) is not None:
            self.write(piece)
            await self.flush()
        await self.finish()
