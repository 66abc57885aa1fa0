"""Schedules by the REST API: how they stand, and "run now"."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core.model import Json
from flownb.core.times import iso
from flownb.server.handler import FlowHandler
from flownb.store.schedules import Scheduled


class RunNowHandler(FlowHandler):
    """Start a workflow as its first schedule does."""

    @web.authenticated
    @authorized
    async def post(self, name: str) -> None:
        data = self.body("data").get("data")
        execution = await self.active.schedules.run_now(name, data, self.login_name())
        self.set_header("Location", f"{self.base_url}flownb/api/executions/{execution.id}")
        self.answer(201, await self.view(execution))


def schedule_view(scheduled: Scheduled) -> dict[str, Json]:
    """A schedule as it is said, when it comes next, and the latest time at which it started nothing."""
    said = scheduled.schedule
    skipped = None
    if scheduled.skipped:
        skipped = {"count": scheduled.skipped, "at": iso(scheduled.skipped_at), "why": scheduled.skipped_why}
    return {
        "cron": said.cron,
        "every": said.every,
        "timezone": said.timezone,
        "missed": said.missed,
        "overlap": said.overlap,
        "next_at": iso(scheduled.due_at),
        "skipped": skipped,
    }


ROUTES: list[tuple[str, type[FlowHandler]]] = [(r"/flownb/api/workflows/([^/]+)/run", RunNowHandler)]
