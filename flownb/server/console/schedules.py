"""Schedules: when each workflow starts next by itself, and "run now"."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core.schedules import in_words
from flownb.server.api_schedules import schedule_view
from flownb.server.console.handler import ConsoleHandler


class SchedulesHandler(ConsoleHandler):
    """All schedules, by workflow."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        scheduled = await self.active.schedules.all()
        rows = [
            {"workflow": name, "place": one.place, "said": in_words(one.schedule), **schedule_view(one)}
            for name, found in scheduled.items()
            for one in found
        ]
        await self.show("schedules.html", schedules=rows)


class RunNowHandler(ConsoleHandler):
    """Start a workflow as its schedule does."""

    @web.authenticated
    @authorized
    async def post(self, name: str) -> None:
        execution = await self.active.schedules.run_now(name, None, self.login_name())
        self.go(self.url("executions", execution.id, said="started"))
