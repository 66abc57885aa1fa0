"""Opening an execution, and going on from what was opened."""

from __future__ import annotations

import json
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated, authorized
from tornado import web

from flownb.core.errors import FlowNBError, InvalidValue
from flownb.core.payload import shape
from flownb.core.replays import CannotReplay
from flownb.core.times import iso
from flownb.server.by_key import KeyHandler
from flownb.server.continuing import Continued
from flownb.server.handler import FlowHandler
from flownb.server.service import Service

SECRET = "X-Flownb-Opened"  # noqa: S105 - a name
"""The header with the secret, which is in no URL so that it is in no log."""


class OpenHandler(FlowHandler):
    """A live kernel with the variables of an execution, and its notebook."""

    @web.authenticated
    @authorized
    async def post(self, execution_id: str) -> None:
        step = self.body("step").get("step")
        if step is not None and not isinstance(step, str):
            raise InvalidValue("`step` is the name of a step, or null for where the execution stands")
        opened = await self.active.openings.open(execution_id, step)
        self.answer(201, {"kernel_id": opened.kernel_id, "path": opened.path})


class ContinueHandler(FlowHandler):
    """Go on from the variables in the kernel that was opened last, as ``pd.continue_()`` does there."""

    @web.authenticated
    @authorized
    async def post(self, execution_id: str) -> None:
        body = self.body("data", "replay")
        replay = body.get("replay", False)
        if not isinstance(replay, bool):
            raise InvalidValue("`replay` is true or false")
        active = self.active
        opened = active.openings.latest(execution_id)
        if opened is None:
            await active.store.get(execution_id)
            raise CannotReplay(f"execution {execution_id} is not open: open it first", "not_open")
        came = await active.continuing.ask(opened, self.request_shape(body.get("data")), replay=replay)
        self.answer(200, _told(came))


class OpenedHandler(KeyHandler):
    """What the kernel of an opened execution hands in; the secret that it was given is its permission."""

    def initialize(self, service: Service) -> None:
        self._service = service

    @allow_unauthenticated
    async def post(self) -> None:
        try:
            self._answer(200, _told(await self._continue(self.request.headers.get(SECRET, ""))))
        except FlowNBError as error:
            self._answer(409, {"message": str(error), "reason": error.reason})

    async def _continue(self, secret: str) -> Continued:
        active = self._service.active
        opened = active.openings.of_kernel(secret)
        if opened is None:
            raise CannotReplay("this kernel has nothing open any more", "not_open")
        try:
            body = json.loads(self.request.body)
            saved, data, replay = body["saved"], body["data"], bool(body["replay"])
        except (ValueError, LookupError, TypeError):
            raise InvalidValue("the body is what an opened kernel saved") from None
        request = shape(
            method="POST",
            path="/flownb/opened",
            url="",
            query="",
            headers=[],
            client_ip=self.request.remote_ip or "",
            body=data,
            received_at=iso(self._service.clock.now()) or "",
        )
        return await active.continuing.continue_(opened, saved, request, replay=replay)


def _told(came: Continued) -> dict[str, Any]:
    return {"execution": came.execution.id, "status": came.execution.status, "message": came.message}
