"""Named events by the REST API: what has happened, for all who wait for it."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core.errors import InvalidValue
from flownb.core.model import Json
from flownb.server.handler import FlowHandler
from flownb.store.happenings import Happening

LONGEST_NAME = 200
"""Characters of an event's name, and of its key."""


class EmitHandler(FlowHandler):
    """The half of ``events`` that takes."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        said = self.body("event", "data", "key")
        key = _word(said, "key") if said.get("key") is not None else None
        told = Happening(_word(said, "event"), said.get("data"), key, self.login_name())
        new, woken = await self.active.store.emit(told)
        self.answer(200, {"event": told.name, "repeated": not new, "resumed": [one.id for one in woken]})


def _word(said: dict[str, Json], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_NAME or not value.isprintable():
        raise InvalidValue(f"`{name}` is text of one line and at most {LONGEST_NAME} characters")
    return value
