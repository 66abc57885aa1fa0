"""What can go wrong between a client and a server."""

from __future__ import annotations

from flownb.core.errors import FlowNBError


class ApiError(FlowNBError):
    """The server refused; ``code`` is the HTTP status and ``reason`` the API's short word for it."""

    def __init__(self, message: str, reason: str, code: int) -> None:
        super().__init__(message, reason)
        self.code = code


class NoServer(FlowNBError):
    """No server answers, or none that runs flownb; the message says what to do."""

    reason = "no_server"
