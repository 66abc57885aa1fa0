"""What retention would remove, with these settings or others: nothing is removed by asking."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core.errors import InvalidValue
from flownb.core.times import iso
from flownb.server.handler import FlowHandler
from flownb.store import prunable
from flownb.store.prunable import Keep

LONGEST = 1_000_000
"""Days, which no execution has been kept for."""


class RetentionHandler(FlowHandler):
    """A dry run."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        keep, limit, now = self._keep(), self.limit(), self._service.clock.now()
        read = self.active.store.read
        found = await read(partial(prunable.prunable, keep=keep, now=now, most=limit + 1))
        rows = [{**asdict(one), "finished_at": iso(one.finished_at)} for one in found[:limit]]
        taken = await read(prunable.total)
        self.answer(200, {"keep": asdict(keep), "bytes": taken, "executions": rows, "more": len(found) > limit})

    def _keep(self) -> Keep:
        said = {name: self.get_query_argument(name, None) for name in ("days", "executions", "bytes")}
        if not any(said.values()):
            return self._service.config.keep
        try:
            keep = Keep(float(said["days"] or 0), int(said["executions"] or 0), int(said["bytes"] or 0))
        except ValueError:
            keep = Keep(-1)
        if not (0 <= keep.days < LONGEST and 0 <= keep.executions < 2**53 and 0 <= keep.bytes < 2**53):
            raise InvalidValue("days, executions and bytes are numbers, 0 for no limit") from None
        return keep


ROUTES: list[tuple[str, type[FlowHandler]]] = [(r"/flownb/api/retention", RetentionHandler)]
