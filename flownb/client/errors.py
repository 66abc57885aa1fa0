"""What can go wrong between a client and a server."""

from __future__ import annotations

from typing import Any

from flownb.core.errors import FlowNBError


class ApiError(FlowNBError):
    """The server refused; ``code`` is the HTTP status and ``reason`` the API's short word for it.

    ``said`` is its whole answer, and ``errors`` what is wrong with the data of a form, by field.
    """

    def __init__(self, message: str, reason: str, code: int, said: dict[str, Any] | None = None) -> None:
        super().__init__(message, reason)
        self.code = code
        self.said = said or {}
        self.errors: dict[str, str] = self.said.get("errors", {})


class NoServer(FlowNBError):
    """No server answers, or none that runs flownb; the message says what to do."""

    reason = "no_server"
