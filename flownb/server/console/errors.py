"""Errors: equal ones in a line, the latest first."""

from __future__ import annotations

from functools import partial

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core.times import iso
from flownb.server.api_errors import error_view, moment
from flownb.server.console.handler import ConsoleHandler
from flownb.store import failures, lists

SPANS = {"24h": "the last day", "7d": "the last week", "30d": "the last 30 days", "366d": "the last year"}
MOST = 200


class ErrorsHandler(ConsoleHandler):
    """The errors of executions that have failed."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        read, workflow, since = self.active.store.read, self.wanted("workflow"), self.wanted("since") or "7d"
        begin = moment(since, self.now)
        found = await read(partial(failures.groups, since=begin, limit=MOST, workflow=workflow))
        await self.show(
            "errors.html",
            errors=[error_view(one) for one in found],
            most=MOST,
            begin=iso(begin),
            chosen={"workflow": workflow, "since": since},
            spans=SPANS,
            workflows=await read(lists.names),
        )
