"""The outbox: what was or is to be sent to people, and another try for what was not."""

from __future__ import annotations

from functools import partial

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core.transitions import NotNow
from flownb.server.api_outbox import message_view
from flownb.server.console.handler import ConsoleHandler
from flownb.store import outbox

PAGE = 50


class OutboxHandler(ConsoleHandler):
    """All messages, newest first."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        active, before = self.active, self.wanted("before")
        found, following = await active.store.read(partial(outbox.page, before=before, limit=PAGE))
        letters = active.letters if await self.may_write() else None
        await self.show(
            "outbox.html",
            messages=[message_view(one, letters) for one in found],
            mail=outbox.MAIL,
            smtp=bool(self._service.config.smtp.host),
            newest=self.url("outbox") if before else None,
            older=self.url("outbox", before=following) if following else None,
        )


class SendHandler(ConsoleHandler):
    """Try a message again."""

    @web.authenticated
    @authorized
    async def post(self, key: str) -> None:
        found = await self.active.store.read(partial(outbox.get, key=key))
        if found is None:
            raise web.HTTPError(404, "There is no such message.")
        if found.message.status is outbox.Status.SENT:
            raise NotNow("this message has been sent")
        await self.active.mailer.send_again(key)
        self.go(self.url("outbox", said="sending"))
