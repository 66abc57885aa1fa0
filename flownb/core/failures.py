"""What is told and counted of an execution that has failed: equal errors are one."""

from __future__ import annotations

from dataclasses import dataclass

from flownb.core.durations import DAY
from flownb.core.model import Execution, Status

LONGEST = 300
"""Characters of an error's first line that are kept."""


@dataclass(frozen=True)
class Failure:
    """An execution that has failed: in which step, with which exception, at ``at``, in ms since 1970.

    Errors are told of as the same where workflow, step and name are; they are counted by their message too.
    """

    execution: str
    workflow: str
    step: str
    ename: str
    evalue: str
    at: int


def failure(before: Execution | None, after: Execution) -> Failure | None:
    """The failure that a change is, None where it is none."""
    if after.status is not Status.FAILED or (before is not None and before.status.final):
        return None
    step, error = after.step, after.error
    ename, evalue = (error.ename, error.evalue) if error is not None else (after.reason or "Failed", "")
    first_line = evalue.strip().partition("\n")[0][:LONGEST]
    name = step.name if step is not None else ""
    at = after.finished_at or after.created_at
    return Failure(after.id, after.workflow, name, _stored(ename), _stored(first_line), at)


def _stored(text: str) -> str:
    """As UTF-8 can have it: an exception may say anything."""
    return text.encode(errors="replace").decode()


def is_told(at: int, told_at: int | None) -> bool:
    """Whether a failure is told of, where the same error was told of last at ``told_at``: once in 24 hours."""
    return told_at is None or not 0 <= at - told_at < DAY
