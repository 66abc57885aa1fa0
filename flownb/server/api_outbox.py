"""The outbox: messages to people, as who may read sees them, and another try for those that were not sent."""

from __future__ import annotations

from functools import partial

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core.model import Json
from flownb.core.times import iso
from flownb.core.transitions import NotNow
from flownb.server.handler import FlowHandler
from flownb.server.hidden import masked
from flownb.server.letters import Letters
from flownb.store import outbox
from flownb.store.outbox import Listed, Status


class OutboxHandler(FlowHandler):
    """All messages, newest first."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        page = partial(outbox.page, before=self.get_query_argument("before", None), limit=self.limit())
        found, following = await self.active.store.read(page)
        letters = self.active.letters if await self.may_write() else None
        messages = [message_view(one, letters) for one in found]
        await self.answer_large(200, {"messages": messages, "next": following})


def message_view(listed: Listed, letters: Letters | None) -> dict[str, Json]:
    """A message; without ``letters`` for those who may only read, who see no links."""
    message = listed.message
    content = (masked(message) if letters is None else letters.revealed(message)).content
    return {
        "key": message.key,
        "execution": message.execution,
        "workflow": listed.workflow,
        "channel": message.channel,
        "to": content["to"],
        "subject": content["subject"],
        "text": content["text"],
        "html": content["html"],
        "status": message.status,
        "created_at": iso(message.created_at),
        "sent_at": iso(message.sent_at),
        "tries": message.tries,
        "error": message.error,
    }


class SendHandler(FlowHandler):
    """Try a message again, at once."""

    @web.authenticated
    @authorized
    async def post(self, key: str) -> None:
        found = await self.active.store.read(partial(outbox.get, key=key))
        if found is None:
            self.answer(404, {"message": f"there is no message {key!r}", "reason": "not_found"})
        elif found.message.status is Status.SENT:
            raise NotNow(f"message {key} has been sent")
        else:
            await self.active.mailer.send_again(key)
            self.answer(202, {"key": key, "status": Status.WAITING})


ROUTES: list[tuple[str, type[FlowHandler]]] = [
    (r"/flownb/api/outbox", OutboxHandler),
    (r"/flownb/api/outbox/([^/]+)/send", SendHandler),
]
