"""Hooks: URLs that start a deployed workflow with what is sent to them."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import unquote

from jupyter_server.auth.decorator import allow_unauthenticated

from flownb.core.deployment import NoSuchWorkflow, QueueFull, Start
from flownb.core.errors import FlowNBError
from flownb.core.model import Execution, Json, Response
from flownb.core.payload import MASK, UnreadableBody
from flownb.core.proofs import proof_headers, proven
from flownb.core.responses import WITHOUT_BODY
from flownb.core.settings import Hook
from flownb.server.body import Body, TooLarge, hook_event, read, taken_apart
from flownb.server.callers import Caller, Stopping, TooManyWait
from flownb.server.context import HOOK
from flownb.server.gate import TooOften
from flownb.server.handler import RETRY_AFTER
from flownb.server.hidden import revealed_response
from flownb.server.outcomes import ACCEPTED, outcome
from flownb.server.pages import Told
from flownb.server.public_handler import LARGE, NOT_FOUND, PublicHandler, log
from flownb.server.secrets import secret
from flownb.server.service import Active
from flownb.store import deployments

HTTP = "http"
"""The type of the trigger."""

LONGEST_KEY = 200

UNPROVEN = Told(
    401,
    "unauthorized",
    title="Not accepted",
    message="The proof that this workflow asks for is missing or wrong: nothing was started.",
)
NO_KEY = Told(
    400,
    "error",
    message=f"The key of a delivery has {LONGEST_KEY} characters at most: nothing was started.",
    reason="key_too_long",
)


SANDBOX = "sandbox allow-downloads allow-forms allow-popups allow-scripts"
"""What a page that a workflow answers with may do: not what Jupyter's own pages may."""


class Unproven(FlowNBError):
    """The sender has not proved that it may start the workflow."""

    reason = "unauthorized"


@dataclass(frozen=True)
class Found:
    """What a hook belongs to: a deployed workflow, by name, and its settings."""

    workflow: str
    hook: Hook


class HookHandler(PublicHandler):
    """Any method starts the workflow, but those by which browsers ask first."""

    _found: Found | None = None
    _failed: FlowNBError | None = None
    _caller: Caller | None = None

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Access-Control-Allow-Origin", "*")

    async def prepare(self) -> None:
        """Whose hook it is says how large the body may be; nothing is answered before that has come."""
        try:
            self._found = await self._find()
        except FlowNBError as error:
            self._failed = error
        if self._found is not None and self._found.hook.max_body_bytes is not None:
            self._body = Body(self._found.hook.max_body_bytes)

    async def _find(self) -> Found | None:
        store = self._service.active.store
        deployed = await store.read(partial(deployments.by_hook, token=self._token))
        workflow = await store.workflow(deployed.version) if deployed is not None else None
        return Found(deployed.name, workflow.settings.hook) if deployed is not None and workflow is not None else None

    @property
    def _token(self) -> str:
        return unquote(taken_apart(self.request)[1], errors="replace")

    @allow_unauthenticated
    def head(self, rest: str) -> None:
        try:
            self._count_unknown()
            self.set_status(503 if self._failed else 200 if self._found else 404)
        except TooOften as error:
            self._slow_down(error)

    @allow_unauthenticated
    def options(self, rest: str) -> None:
        """What a browser asks before a script may send: everything is allowed."""
        self.set_status(204)
        self.set_header("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
        self.set_header("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
        asked = self.request.headers.get("Access-Control-Request-Headers")
        self.set_header("Access-Control-Allow-Headers", asked or "*")

    @allow_unauthenticated
    async def get(self, rest: str) -> None:
        try:
            await self._serve()
        except NoSuchWorkflow:
            self._tell(NOT_FOUND, None)
        except Unproven:
            self._refuse()
        except TooOften as error:
            self._slow_down(error)
        except QueueFull as error:
            self._retry_later(Told(429, error.reason, title="Too much at once", message=str(error)))
        except TooLarge as error:
            self._tell(Told(413, "error", message=str(error), reason=error.reason), None)
        except UnreadableBody as error:
            self._tell(Told(error.code, "error", message=str(error), reason=error.reason), None)
        except (Stopping, TooManyWait) as error:
            self._retry_later(Told(503, "unavailable", message=str(error), reason=error.reason))
        except FlowNBError as error:
            log.error("flownb: a hook could not be served: %s", error)
            self._retry_later(Told(503, "unavailable", reason=error.reason))

    post = put = patch = delete = get

    async def _serve(self) -> None:
        if self._failed is not None:
            raise self._failed
        self._count_unknown()
        if (found := self._found) is None:
            self._tell(NOT_FOUND, None)
        elif self._is_preview():
            self.set_status(204)
        elif len(self._key(found.hook)) > LONGEST_KEY:
            self._tell(NO_KEY, None)
        else:
            await self._start(found)

    async def _start(self, found: Found) -> None:
        body = self._body.whole()
        known = await _known(found)
        make = partial(self._event, found, body, known)
        event = make() if len(body) <= LARGE else await asyncio.to_thread(make)
        trigger: Json = {"type": HTTP, "event": event, "by": None}
        key = self._key(found.hook)
        wish = Start(found.workflow, trigger, key=f"{HTTP} {key}" if key else None, limited=True)
        active = self._service.active
        if found.hook.wait is not None:
            active.callers.demand_room()
        execution, _ = await active.store.start(wish)
        if found.hook.wait is None:
            self._tell(ACCEPTED, execution)
        else:
            await self._answer(active, execution, found.hook.wait)

    async def _answer(self, active: Active, execution: Execution, span: int) -> None:
        """What the workflow answers, or what else came of the event within so many ms."""

        def listens(caller: Caller) -> None:
            self._caller = caller

        caller = await active.callers.wait(execution, span, listens)
        response = caller.execution.response
        if caller.gone:
            return
        if response is not None and response.due:
            self._send(revealed_response(response, execution.id, active.links.key))
        else:
            self._tell(outcome(caller.execution), caller.execution)

    def on_connection_close(self) -> None:
        if self._caller is not None:
            self._caller.hang_up()

    def _send(self, response: Response) -> None:
        """The answer of a workflow. It comes from Jupyter's own address: a page in it has no right there."""
        self.set_status(response.status)
        self.clear_header("Content-Type")
        for name, value in response.headers.items():
            self.set_header(name, value.replace(MASK, "..."))  # a mask is no ASCII, as all of the rest is
        self.add_header("Content-Security-Policy", SANDBOX)
        if response.status not in WITHOUT_BODY:
            self.write(_bytes(response.body))
        self.finish()

    def _key(self, hook: Hook) -> str:
        """What names the delivery; empty where its sender does not say."""
        return self.request.headers.get(hook.idempotency_header, "").strip()

    def _event(self, found: Found, body: bytes, known: str | None) -> Json:
        """What the workflow is started with. Takes long for a large body; called in threads.

        Raises ``Unproven`` or ``UnreadableBody``.
        """
        auth, now = found.hook.auth, self._service.clock.now()
        if auth is None or known is None:
            return hook_event(self.request, read(self.request, body), self._token)
        if not proven(auth, known, self.request.headers, body, now):
            raise Unproven("the proof is missing or wrong")
        return hook_event(self.request, read(self.request, body), self._token, proof_headers(auth))

    def _count_unknown(self) -> None:
        """Events have limits of their workflow's own; a sender of others has those of its address."""
        if self._found is None:
            self._count()

    def _refuse(self) -> None:
        auth = self._found.hook.auth if self._found else None
        if auth is not None and auth.kind == "bearer":
            self.set_header("WWW-Authenticate", "Bearer")
        self._tell(UNPROVEN, None)

    def _retry_later(self, told: Told) -> None:
        self.set_header("Retry-After", str(RETRY_AFTER))
        self._tell(told, None)


def _bytes(body: Json) -> bytes:
    if isinstance(body, dict):
        return b64decode(body["base64"])
    return (body or "").encode()


async def _known(found: Found) -> str | None:
    """The secret that a sender has to know; None where nothing is asked. Raises ``NoSecret``."""
    if found.hook.auth is None:
        return None
    return await secret(found.hook.auth.secret)


def routes(arguments: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """``.*`` so that no other handler's log sees an altered URL."""
    return [(rf"/flownb/{HOOK}/(.*)", HookHandler, arguments)]
