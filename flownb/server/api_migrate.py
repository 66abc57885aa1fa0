"""Moving a paused execution to another version, by the REST API."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core.diff import as_json
from flownb.core.errors import InvalidValue
from flownb.server.api_decide import SIGNED, SigningHandler
from flownb.server.handler import FlowHandler


class MigrateHandler(SigningHandler, FlowHandler):
    """To the version of a number, or the latest; or only what that would change."""

    @web.authenticated
    @authorized
    async def post(self, execution_id: str) -> None:
        said = self.body("version", "dry_run", *SIGNED)
        number, dry_run = said.get("version"), said.get("dry_run", False)
        counts = number is None or (type(number) is int and 0 < number < 10**9)
        if not counts or not isinstance(dry_run, bool):
            raise InvalidValue("`version` is the number of a version, or null for the latest; `dry_run` is a boolean")
        moved = await self.active.migrations.migrate(execution_id, number, self.signature(said), dry_run=dry_run)
        view = await self.view(moved.execution)
        answer = {"execution": view, "dry_run": dry_run, "warnings": list(moved.warnings), "diff": as_json(moved.diff)}
        await self.answer_large(200, answer)
