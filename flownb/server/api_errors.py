"""Errors by the REST API: equal ones in a line, with how many there were."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core.durations import DAY, duration
from flownb.core.errors import InvalidValue
from flownb.core.model import Json
from flownb.core.times import iso
from flownb.server.handler import FlowHandler
from flownb.store import failures
from flownb.store.failures import Group

A_WEEK = 7 * DAY
"""The errors that are shown unless another time is asked for."""


class ErrorsHandler(FlowHandler):
    """The errors of executions that have failed, the latest first."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        since = moment(self.get_query_argument("since", None), self._service.clock.now())
        workflow = self.get_query_argument("workflow", None)
        groups = partial(failures.groups, since=since, limit=self.limit(), workflow=workflow)
        found = await self.active.store.read(groups)
        self.answer(200, {"since": iso(since), "errors": [error_view(one) for one in found]})


def moment(said: str | None, now: int) -> int:
    """The time since which errors are asked for, in ms: a span before ``now``, a day or a time; else a week ago.

    Raises ``InvalidValue``.
    """
    if not said:
        return now - A_WEEK
    try:
        return now - duration(said, "since")
    except InvalidValue:
        pass
    try:
        at = datetime.fromisoformat(said)
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise InvalidValue(f'since is a span like "24h" or a time like 2027-01-31, got {said!r}') from None


def error_view(group: Group) -> dict[str, Json]:
    """A group of errors as the API shows it."""
    return {
        "workflow": group.workflow,
        "step": group.step or None,
        "ename": group.ename,
        "evalue": group.evalue,
        "count": group.count,
        "first_at": iso(group.first_at),
        "last_at": iso(group.last_at),
        "execution": group.execution,
    }


ROUTES: list[tuple[str, type[FlowHandler]]] = [(r"/flownb/api/errors", ErrorsHandler)]
