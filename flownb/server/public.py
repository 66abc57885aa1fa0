"""Links: URLs that end a pause, or show it, without a login."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated

from flownb import faults
from flownb.core import events
from flownb.core.errors import FlowNBError
from flownb.core.links import tokens
from flownb.core.model import Action, Signature
from flownb.core.payload import UnreadableBody
from flownb.core.transitions import undecided
from flownb.server.body import TooLarge, read, resume_data
from flownb.server.gate import Gate, TooOften
from flownb.server.pages import Pages, Told, told
from flownb.server.public_handler import LARGE, NOT_FOUND, PublicHandler, log
from flownb.server.reviews import POSTPONE, PUT_OFF, Notice, Reply, Review
from flownb.server.service import Active, Service
from flownb.store import queries
from flownb.store.queries import Link

DONE = ("resumed", "cancelled", "accepted", "postponed", "approved", "already_approved")
"""Answers after which a browser is sent to the page anew."""


class LinkHandler(PublicHandler):
    """Resume, cancel and review."""

    def initialize(  # type: ignore[override]  # with what the routes say
        self, service: Service, pages: Pages, gate: Gate, max_body_bytes: int, confirm_links: bool
    ) -> None:
        super().initialize(service, pages, gate, max_body_bytes)
        self._confirm_links = confirm_links

    @allow_unauthenticated
    async def head(self, action: str, token: str) -> None:
        try:
            self._count(token)
            found = await self._link(Action(action), token)
            self.set_status(200 if found else 404)
        except TooOften as error:
            self._slow_down(error)
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
            self._count(token)
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
        except TooOften as error:
            self._slow_down(error)
        except TooLarge as error:
            self._tell(Told(413, "error", message=str(error), reason=error.reason), None)
        except UnreadableBody as error:
            self._tell(Told(error.code, "error", message=str(error), reason=error.reason), None)
        except FlowNBError as error:
            log.error("flownb: a link could not be served: %s", error)
            self._tell(Told(503, "unavailable", reason=error.reason), None)

    async def _link(self, action: Action, token: str) -> Link | None:
        """What the token opens; one for another action is as unknown as any."""
        active = self._service.active
        found = await active.store.read(partial(queries.link, token=token, key=active.links.key))
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
        signature = Signature(ip=self.request.remote_ip)
        return events.RequestArrived(link.action, request, link.attempt, signature=signature, branch=link.branch)

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
        asking = (pause.alternative(link.branch) or pause) if pause is not None else None
        if asking is not None and asking.form is not None and link.action is Action.RESUME:
            return True
        if asking is not None and asking.confirm is not None:
            return asking.confirm
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


def routes(arguments: dict[str, Any], confirm_links: bool) -> list[tuple[str, Any, Any]]:
    """Everything that is served without a login; ``.*`` so that no other handler's log sees an altered link."""
    return [(rf"/flownb/({'|'.join(Action)})/(.*)", LinkHandler, {**arguments, "confirm_links": confirm_links})]
