"""What all URLs have in common that need no login: the secret in them is the permission."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import Any

from tornado import web

from flownb.core.jsonvalue import dumps
from flownb.core.model import Execution
from flownb.server.body import Body, masked_path
from flownb.server.gate import Gate, TooOften, put_right
from flownb.server.observing.metrics import LINKS
from flownb.server.pages import Page, Pages, Told
from flownb.server.service import Service
from flownb.server.templating import encoded

log = logging.getLogger("flownb")

LARGE = 16 * 1024
"""Bytes of a body above which its parsing is kept off the event loop, and out of the store's transactions."""

NOT_FOUND = Told(404, "not_found")

PREVIEWS = ("Sec-Purpose", "Purpose", "X-Moz")


@web.stream_request_body
class PublicHandler(web.RequestHandler):
    """A plain tornado handler, so that nothing of a login comes near it."""

    def initialize(self, service: Service, pages: Pages, gate: Gate, max_body_bytes: int) -> None:
        put_right(self.request, service.config.proxies)
        self._service = service
        self._pages = pages
        self._gate = gate
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

    def _count(self, secret: str | None = None) -> None:
        """This request, and which link's it is; raises ``TooOften``."""
        self._gate.count(self.request, secret)

    def _slow_down(self, error: TooOften) -> None:
        self.set_header("Retry-After", str(error.seconds))
        self._tell(Told(429, "error", title="Too much at once", message=str(error), reason=error.reason), None)

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

    def on_finish(self) -> None:
        LINKS.labels(str(self.get_status())).observe(self.request.request_time())

    def _log(self) -> None:
        """The access log, without the secret."""
        milliseconds = 1000 * self.request.request_time()
        level = logging.WARNING if self.get_status() >= 500 else logging.DEBUG
        if log.isEnabledFor(level):
            log.log(level, "%d %s %.2fms", self.get_status(), self._request_summary(), milliseconds)
