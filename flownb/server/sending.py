"""What ways of sending a message have in common: how they say that one was not sent."""

from __future__ import annotations

from flownb.core.errors import FlowNBError
from flownb.store.outbox import Status


class NotSent(FlowNBError):
    """A message was not sent; ``status`` says what becomes of it: tried again, given up, or kept as it is.

    The text stands in the record and in the log, so it holds no secret.
    """

    reason = "not_sent"

    def __init__(self, message: str, status: Status = Status.WAITING) -> None:
        super().__init__(message)
        self.status = status
