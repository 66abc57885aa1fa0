"""The bill in the API: what was used here, by day, workflow, execution, step or segment."""

from __future__ import annotations

from datetime import date
from functools import partial

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core.errors import InvalidValue
from flownb.core.times import iso
from flownb.server.handler import FlowHandler
from flownb.store import usage
from flownb.store.sql import Row
from flownb.store.usage import By, Period


class UsageHandler(FlowHandler):
    """Compute and suspended time and credits, added up."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        by, limit, period = self._by(), self.limit(), self._period()
        rows = await self.active.store.read(partial(usage.table, by=by, period=period, limit=limit + 1))
        total = await self.active.store.read(partial(usage.total, period=period))
        found = {"by": by, "rows": [_shown(row) for row in rows[:limit]], "more": len(rows) > limit, "total": total}
        self.answer(200, found)

    def _by(self) -> By:
        said = self.get_query_argument("by", By.DAY)
        try:
            return By(said)
        except ValueError:
            raise InvalidValue(f"by is one of {', '.join(By)}, got {said!r}") from None

    def _period(self) -> Period:
        said = {name: self.get_query_argument(name, None) for name in ("since", "until", "workflow")}
        period = Period(**{name: value for name, value in said.items() if value is not None})
        for name in ("since", "until"):
            if said[name] is not None:
                demand_day(name, said[name] or "")
        return period


def demand_day(name: str, said: str) -> None:
    """Raises ``InvalidValue`` for what is no day."""
    try:
        known = date.fromisoformat(said).isoformat()
    except ValueError:
        known = None
    if known != said:
        raise InvalidValue(f"{name} is a day in UTC like 2026-11-23, got {said!r}")


def _shown(row: Row) -> Row:
    return {**row, "started_at": iso(row["started_at"])} if "started_at" in row else row


ROUTES: list[tuple[str, type[FlowHandler]]] = [(r"/flownb/api/usage", UsageHandler)]
