"""The URLs that need no login: the secret in them is the permission."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from functools import partial
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from tornado import web

from flownb import faults
from flownb.core import events
from flownb.core.errors import FlowNBError
from flownb.core.jsonvalue import dumps
from flownb.core.links import tokens
from flownb.core.model import Action, Execution, Signature
from flownb.core.payload import UnreadableBody
from flownb.core.transitions import undecided
from flownb.server.body import Body, TooLarge, masked_path, read, resume_data
from flownb.server.pages import Page, Pages, Told, told
from flownb.server.reviews import POSTPONE, PUT_OFF, Notice, Reply, Review
from flownb.server.service import Active, Service
from flownb.server.templating import encoded
from flownb.store import queries
from flownb.store.queries import Link

log = logging.getLogger("flownb")

LARGE = 16 * 1024
"""Bytes of a body above which its parsing is kept off the event loop, and out of the store's transactions."""

NOT_FOUND = Told(404, "not_found")
DONE = ("resumed", "cancelled", "accepted", "postponed")
"""Answers after which a browser is sent to the page anew."""

PREVIEWS = ("Sec-Purpose", "Purpose", "X-Moz")


@web.stream_request_body
class LinkHandler(web.RequestHandler):
    """Resume, cancel and review: a plain tornado handler, so that nothing of a login comes near it."""

    def initialize(self, service: Service, pages: Pages, max_body_bytes: int, confirm_links: bool) -> None:
        self._service = service
        self._pages = pages
        self._confirm_links = confirm_links
        self._body = Body(max_body_bytes)

    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.clear_header("Server")

    def check_xsrf_cookie(self) -> None:
        """The secret of the link stands in for it: no cookie gives any right here."""

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        return value.decode(errors="replace")

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        if not self._body.take(chunk) and not self._finished:
            self.set_header("Connection", "close")
            self._tell(Told(413, "error", reason="too_large"), None)
        return None

    @allow_unauthenticated
    async def head(self, action: str, token: str) -> None:
        try:
            found = await self._link(Action(action), token)
            self.set_status(200 if found else 404)
        except FlowNBError:
            self.set_status(503)

    @allow_unauthenticated
    def options(self, action: str, token: str) -> None:
        self.set_status(204)
        self.set_header("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")

    @allow_unauthenticated
    async def get(self, action: str, token: str) -> None:
        await self._serve(Action(action), token)

    post = put = patch = delete = get

    async def _serve(self, action: Action, token: str) -> None:
        try:
            active, preview = self._service.active, self._is_preview()
            shows = action is Action.REVIEW or preview
            if not shows and self.request.method != "GET" and self._body.size <= LARGE:
                await self._decide(active, action, token)
            elif (link := await self._link(action, token)) is None:
                self._tell(NOT_FOUND, None)
            elif shows:
                await self._review(active, link)
            elif self.request.method == "GET" and await self._must_confirm(active, link):
                await self._ask(active, link)
            elif self._body.size <= LARGE:
                await self._decide(active, action, token)
            else:
                await self._decide(active, action, token, await asyncio.to_thread(self._event, active, token, link))
        except TooLarge as error:
            self._tell(Told(413, "error", message=str(error), reason=error.reason), None)
        except UnreadableBody as error:
            self._tell(Told(error.code, "error", message=str(error), reason=error.reason), None)
        except FlowNBError as error:
            log.error("flownb: a link could not be served: %s", error)
            self._tell(Told(503, "unavailable", reason=error.reason), None)

    async def _link(self, action: Action, token: str) -> Link | None:
        """What the token opens; one for another action is as unknown as any."""
        found = await self._service.active.store.read(partial(queries.link, token=token))
        return found if found is not None and found.action is action else None

    async def _decide(
        self, active: Active, action: Action, token: str, made: events.RequestArrived | None = None
    ) -> None:
        """The link is looked up in the transaction that uses it, and only then is the request taken apart."""
        used = await active.store.use_link(token, action, lambda link: made or self._event(active, token, link))
        if used is None:
            self._tell(NOT_FOUND, None)
            return
        self._decided()
        answer, after = used
        self._tell(told(answer), after)

    def _event(self, active: Active, token: str, link: Link) -> events.RequestArrived:
        """What the holder of a link asks for. Takes long for a large body; called in threads."""
        secrets = [token, *tokens(active.links.key.secret, link.execution, link.attempt).values()]
        body = read(self.request, self._body.whole())
        request = resume_data(self.request, body, self._service.clock.now(), secrets)
        return events.RequestArrived(link.action, request, link.attempt, signature=Signature(ip=self.request.remote_ip))

    def _decided(self) -> None:
        """It is on disk, and nobody has been told yet."""
        faults.point("answer.public")

    async def _ask(self, active: Active, link: Link) -> None:
        """Nothing is decided yet: a person is shown the page with the buttons, a machine is told."""
        if self._wants_html():
            self._reply(await Review(active, self._pages, link).show())
        else:
            self._tell(Told(409, "confirm_required"), await active.store.get(link.execution))

    async def _must_confirm(self, active: Active, link: Link) -> bool:
        """By the pause's own wish, else the workflow's, else the server's; where a form asks for more than GET has."""
        execution, pause = await Review(active, self._pages, link).look()
        if not undecided(execution, pause, link.attempt):
            return False
        if pause is not None and pause.form is not None and link.action is Action.RESUME:
            return True
        if pause is not None and pause.confirm is not None:
            return pause.confirm
        workflow = await active.store.pinned(execution)
        return self._confirm_links if workflow.settings.confirm is None else workflow.settings.confirm

    async def _review(self, active: Active, link: Link) -> None:
        review = Review(active, self._pages, link)
        if self.request.method == "POST" and link.action is Action.REVIEW:
            reply = await review.decide(self.request, self._body.whole(), self._service.clock.now())
            self._decided()
        else:
            reply = await review.show(notice=Notice(PUT_OFF) if self.request.query == POSTPONE else None)
        self._reply(reply)

    def _reply(self, reply: Reply) -> None:
        """A page; after a decision the way to the page that says what stands, so that loading it anew sends nothing."""
        if reply.page is not None:
            self._show(reply.code, reply.page)
        elif reply.answer is not None and reply.answer.status in DONE:
            self.set_status(303)
            query = f"?{POSTPONE}" if reply.answer.status == "postponed" else ""
            self.set_header("Location", f"../review/{self.path_args[1]}{query}")
            self.finish()
        elif reply.answer is not None:
            self._tell(told(reply.answer), reply.after)

    def _is_preview(self) -> bool:
        """Whether the request says of itself that nobody has clicked yet."""
        said = " ".join(self.request.headers.get(name, "") for name in PREVIEWS).lower()
        return "prefetch" in said or "preview" in said

    def _wants_html(self) -> bool:
        return "text/html" in self.request.headers.get("Accept", "")

    def _tell(self, told: Told, execution: Execution | None) -> None:
        if self._wants_html():
            self._show(told.code, self._pages.answer(told, execution))
            return
        self.set_status(told.code)
        self.set_header("Content-Type", "application/json")
        self.finish(dumps(told.json(execution)))

    def _show(self, code: int, page: Page) -> None:
        self.set_status(code)
        self.set_header("Content-Security-Policy", page.policy)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(encoded(page.html))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self._tell(Told(status_code, "error"), None)

    def _request_summary(self) -> str:
        return f"{self.request.method} {masked_path(self.request)} ({self.request.remote_ip})"

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, web.HTTPError):
            log.error("flownb: %s failed", self._request_summary(), exc_info=(typ, value, tb))

    def _log(self) -> None:
        """The access log, without the secret."""
        milliseconds = 1000 * self.request.request_time()
        level = logging.WARNING if self.get_status() >= 500 else logging.DEBUG
        if log.isEnabledFor(level):
            log.log(level, "%d %s %.2fms", self.get_status(), self._request_summary(), milliseconds)


def routes(service: Service, pages: Pages, max_body_bytes: int, confirm_links: bool) -> list[tuple[str, Any, Any]]:
    """Everything that is served without a login; ``.*`` so that no other handler's log sees an altered link."""
    arguments = {
        "service": service,
        "pages": pages,
        "max_body_bytes": max_body_bytes,
        "confirm_links": confirm_links,
    }
    return [(rf"/flownb/({'|'.join(Action)})/(.*)", LinkHandler, arguments)]
