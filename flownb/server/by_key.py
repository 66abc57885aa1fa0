"""What the addresses for kernels share: these show a key of their own, in place of a login."""

from __future__ import annotations

from http.client import responses
from typing import Any

from tornado import web

from flownb.core.jsonvalue import dumps
from flownb.core.model import Json


class KeyHandler(web.RequestHandler):
    """A plain tornado handler that answers in JSON."""

    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.clear_header("Server")

    def check_xsrf_cookie(self) -> None:
        """The key stands in for it."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self._answer(status_code, {"message": responses.get(status_code, "error"), "reason": "error"})

    def _answer(self, code: int, content: dict[str, Json]) -> None:
        self.set_status(code)
        self.set_header("Content-Type", "application/json")
        self.finish(dumps(content))
