"""The inbox: what waits for somebody, and deciding on many at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core.errors import InvalidValue
from flownb.core.model import Action, PauseKind, Signature
from flownb.server.api_decide import meant
from flownb.server.console.handler import ConsoleHandler
from flownb.server.console.lists import INBOX_PAGE
from flownb.server.console.views import row
from flownb.store import lists
from flownb.store.store import NotFound


class InboxHandler(ConsoleHandler):
    """Every pause that somebody can end."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        active, links = self.active, await self.links()
        chosen: dict[str, Any] = {"workflow": self.wanted("workflow"), "kind": self.one_of(PauseKind, "kind")}
        before = self.wanted("before")
        found, following = await active.store.read(partial(lists.inbox, limit=INBOX_PAGE, before=before, **chosen))
        await self.show(
            "inbox.html",
            rows=[row(one, links, self.now) for one in found],
            chosen=chosen,
            kinds=[kind.value for kind in lists.FOR_PEOPLE],
            workflows=await active.store.read(lists.names),
            newest=self.url("inbox", **chosen) if before else None,
            older=self.url("inbox", **chosen, before=following) if following else None,
        )

    @web.authenticated
    @authorized
    async def post(self) -> None:
        sent = self.sent()
        act, _, only = sent.act.partition(" ")
        if act not in (Action.RESUME, Action.CANCEL):
            raise InvalidValue("the form asks for nothing that is known here")
        picked = [only] if only else self.get_body_arguments("chosen")
        signed = self.signature({"by": sent.by, "comment": sent.comment})
        came = await asyncio.gather(*(self._decide(one, Action(act), signed) for one in picked))
        said = [f"{status}.{count}" for status, count in Counter(came).items()] or "none"
        filters = {name: self.get_body_argument(name, "") for name in ("workflow", "kind")}
        self.go(self.url("inbox", **filters, said=said))

    async def _decide(self, one: str, action: Action, signed: Signature) -> str:
        """What became of ``id pause``."""
        execution_id, _, pause = one.partition(" ")
        try:
            told, _ = await self.request_one(execution_id, action, meant({"pause": pause}), None, signed)
        except NotFound:
            return "not_found"
        return told.status
