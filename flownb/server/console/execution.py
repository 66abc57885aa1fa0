"""One execution: what it waits for, its steps, its notebook, and the record of what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core.fields import fields, placed
from flownb.core.model import Execution, Json, PauseKind
from flownb.core.transitions import live_pause
from flownb.server.api_decide import LONGEST_COMMENT, LONGEST_NAME
from flownb.server.console.handler import ConsoleHandler
from flownb.server.console.notebook import notebook_page
from flownb.server.console.views import entries, timeline
from flownb.server.console.words import Notice
from flownb.server.recorder import record
from flownb.server.reviews import LATER, Sent, filled
from flownb.server.templating import encoded
from flownb.server.view import execution_view, journal_view, pauses_view, snapshots_view
from flownb.store import checkpoints, queries

MOST_ENTRIES = 200
"""Of the journal and of the decisions."""

FRAMED = "; ".join(
    [
        "sandbox allow-popups allow-popups-to-escape-sandbox",
        "default-src 'none'",
        "style-src 'nonce-{}'",
        "img-src data:",
        "form-action 'none'",
        "frame-ancestors 'self'",
        "base-uri 'none'",
    ]
)
"""For the rendered notebook: whatever is in it runs nothing, loads nothing and reaches nothing of the server."""


class ShowsExecution(ConsoleHandler):
    """The page of one execution, which is also the answer to a form that was not accepted."""

    async def show_execution(
        self,
        execution: Execution,
        code: int = 200,
        sent: Sent | None = None,
        errors: Mapping[str, str] | None = None,
        said: Notice | None = None,
    ) -> None:
        active, links = self.active, await self.links()
        read = active.store.read
        kept = await read(partial(checkpoints.of_execution, execution_id=execution.id))
        usage = await asyncio.to_thread(active.snapshots.usage, execution.id, sum(one.stored for one in kept))
        pauses = await read(partial(queries.pauses, execution_id=execution.id))
        journal = await read(partial(queries.journal_of, execution_id=execution.id))
        shown, left_out = entries(journal, MOST_ENTRIES)
        path = self._service.executed_path(execution)
        await self.show(
            "execution.html",
            code,
            said=said,
            execution=execution_view(execution, links),
            bars=timeline(execution, self.now),
            pauses=pauses_view(pauses[: -MOST_ENTRIES - 1 : -1]),
            journal=[journal_view(entry) for entry in shown],
            left_out=left_out,
            **snapshots_view(kept, usage),
            **_decision(execution, sent or Sent(), errors or {}),
            seq=journal[-1]["seq"] if journal else 0,
            final=execution.status.final,
            executed=self.notebook_url(path) if path else None,
        )


def _decision(execution: Execution, sent: Sent, errors: Mapping[str, str]) -> dict[str, Any]:
    """The form of a decision, with what was typed in it."""
    pause = live_pause(execution)
    asked = fields(pause.asks) if pause is not None and pause.asks is not None else ()
    complaint = placed(asked, errors)
    return {
        "fields": filled(asked, complaint, sent.texts),
        "complaint": complaint.get("") if "" not in (one.name for one in asked) else None,
        "sent": sent,
        "later": LATER if pause is not None and pause.kind is PauseKind.SUSPEND else {},
        "longest": {"by": LONGEST_NAME, "comment": LONGEST_COMMENT},
    }


class ExecutionHandler(ShowsExecution):
    """One execution as it stands."""

    @web.authenticated
    @authorized
    async def get(self, execution_id: str) -> None:
        await self.show_execution(await self.active.store.get(execution_id))


class RenderedHandler(ConsoleHandler):
    """The executed notebook as it stands, for a frame."""

    @web.authenticated
    @authorized
    async def get(self, execution_id: str) -> None:
        active = self.active
        live = await active.attempts.live_outputs(execution_id)
        execution = await active.store.get(execution_id)
        notebook: Json = await record(active.store, execution, *([live] if live else []))
        html, nonce = await asyncio.to_thread(notebook_page, notebook)
        self.set_header("Content-Security-Policy", FRAMED.format(nonce))
        self.finish(encoded(html))
