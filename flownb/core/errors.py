"""The errors that flownb raises on purpose. Each message says what is wrong, where, and what to do."""

from __future__ import annotations

_SHOWN = 200


class FlowNBError(Exception):
    """Root of all errors of flownb; ``reason`` is the short word that the API and the record carry."""

    reason = "error"

    def __init__(self, message: str, reason: str | None = None) -> None:
        super().__init__(message)
        if reason is not None:
            self.reason = reason


class NotebookError(FlowNBError):
    """A notebook that cannot be a workflow."""

    reason = "bad_notebook"


class InvalidValue(FlowNBError, ValueError):
    """A value that an author or a caller passed and that cannot be taken."""

    reason = "bad_request"


def shown(value: object) -> str:
    """A value as a message quotes it: its ``repr``, cut short; its type where it has none, as an int of 5000 digits."""
    try:
        written = repr(value)
    except Exception:  # whatever a foreign `__repr__` raises
        return f"a value of type {type(value).__qualname__}"
    return written if len(written) <= _SHOWN else f"{written[:_SHOWN]}…"
