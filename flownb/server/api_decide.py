"""Deciding by the REST API: resume, cancel and postpone, one execution or many."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core import events
from flownb.core.durations import duration
from flownb.core.errors import InvalidValue
from flownb.core.model import Action, Attempt, Execution, Json, Signature
from flownb.core.transitions import live_pause
from flownb.server.base import LoggedInHandler
from flownb.server.handler import FlowHandler
from flownb.server.pages import Told, told
from flownb.store.store import NotFound

LONGEST_NAME = 200
LONGEST_COMMENT = 10_000
"""Characters; what people write goes into the record."""

SIGNED = ("by", "comment")


def signature(said: dict[str, Json], user: str | None, via: str, ip: str | None, login: str | None = None) -> Signature:
    """What somebody says of themselves and of their decision; raises ``InvalidValue`` for what is no text."""
    return Signature(
        by=_text(said, "by", LONGEST_NAME),
        user=user,
        via=via,
        ip=ip,
        comment=_text(said, "comment", LONGEST_COMMENT),
        shown=_text(said, "shown", LONGEST_NAME),
        login=login,
    )


def _text(said: dict[str, Json], name: str, longest: int) -> str | None:
    value = said.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > longest:
        raise InvalidValue(f"`{name}` is text of at most {longest:,} characters")
    return value.strip() or None


class SigningHandler(LoggedInHandler):
    """What handlers share in which somebody decides; ``via`` is the word in the record for where they did."""

    via = "api"

    def signature(self, said: dict[str, Json]) -> Signature:
        return signature(said, self.login_name(), self.via, self.request.remote_ip, self.account())

    async def request_one(
        self,
        execution_id: str,
        action: Action,
        attempt: Attempt | None,
        data: Json,
        signed: Signature,
        which: str | None = None,
    ) -> tuple[Told, Execution]:
        """``which`` names an alternative of a wait."""
        event = events.RequestArrived(action, self.request_shape(data), attempt, signature=signed, which=which)
        answer, after = await self.active.store.request(execution_id, event)
        return told(answer), after

    async def postpone(
        self, execution_id: str, later: int, attempt: Attempt | None, signed: Signature
    ) -> tuple[Told, Execution]:
        """Put the deadline off by ``later`` ms."""
        store = self.active.store
        pause = live_pause(await store.get(execution_id))
        until = (pause.wakes_at if pause and pause.wakes_at else self._service.clock.now()) + later
        answer, after = await store.request(execution_id, events.Postponed(until, attempt, signature=signed))
        return told(answer), after


class DecisionHandler(SigningHandler, FlowHandler):
    """Resume or cancel, as the links do, but by who may write."""

    @web.authenticated
    @authorized
    async def post(self, execution_id: str, action: str) -> None:
        said = self.body(*(("data", "which") if action == Action.RESUME else ()), "pause", "shown", *SIGNED)
        attempt, signed, which = meant(said), self.signature(said), said.get("which")
        if not isinstance(which, str | None):
            raise InvalidValue("`which` is the name of an alternative, as `waiting` of its execution has it")
        data = said.get("data")
        answer, execution = await self.request_one(execution_id, Action(action), attempt, data, signed, which)
        self.answer(answer.code, answer.json(execution))


class DecideManyHandler(SigningHandler, FlowHandler):
    """Resume or cancel many executions; each is answered for."""

    @web.authenticated
    @authorized
    async def post(self, action: str) -> None:
        said = self.body("executions", *SIGNED)
        listed = said.get("executions")
        if not isinstance(listed, list):
            raise InvalidValue("the body names `executions`, a list of ids, or of objects with `id` and `pause`")
        asked = [_one(entry) for entry in listed]
        signed = self.signature(said)
        found = await asyncio.gather(*(self._decide(*one, Action(action), signed) for one in asked))
        self.answer(200, {"executions": found})

    async def _decide(
        self, execution_id: str, attempt: Attempt | None, action: Action, signed: Signature
    ) -> dict[str, Json]:
        try:
            said, execution = await self.request_one(execution_id, action, attempt, None, signed)
        except NotFound as error:
            return {"id": execution_id, "code": 404, "status": "not_found", "message": str(error)}
        return {"id": execution_id, "code": said.code, **said.json(execution)}


class PostponeHandler(SigningHandler, FlowHandler):
    """More time for whoever decides."""

    @web.authenticated
    @authorized
    async def post(self, execution_id: str) -> None:
        said = self.body("for", "pause", *SIGNED)
        later, attempt, signed = duration(said.get("for"), "for"), meant(said), self.signature(said)
        told_back, execution = await self.postpone(execution_id, later, attempt, signed)
        self.answer(told_back.code, told_back.json(execution))


def meant(said: dict[str, Json]) -> Attempt | None:
    """Which pause is meant, by its id in ``waiting``."""
    pause = said.get("pause")
    if pause is None:
        return None
    try:
        return Attempt.named(pause)
    except (ValueError, AttributeError):
        raise InvalidValue("`pause` is the id of a pause, as `waiting` of its execution has it") from None


def _one(entry: Any) -> tuple[str, Attempt | None]:
    named = {"id": entry} if isinstance(entry, str) else entry
    if isinstance(named, dict) and not named.keys() - {"id", "pause"}:
        id = named.get("id")
        if isinstance(id, str) and id.isascii():
            return id, meant(named)
    raise InvalidValue("each of `executions` is an id, or an object with `id` and `pause`")


ROUTES: list[tuple[str, type[FlowHandler]]] = [
    (r"/flownb/api/executions/(resume|cancel)", DecideManyHandler),
    (r"/flownb/api/executions/([^/]+)/(resume|cancel)", DecisionHandler),
    (r"/flownb/api/executions/([^/]+)/postpone", PostponeHandler),
]
