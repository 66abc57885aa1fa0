"""What the store tells of a change that it has committed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from flownb.core import transitions
from flownb.core.errors import FlowNBError
from flownb.core.model import Execution, Json
from flownb.store import outbox


class Clock(Protocol):
    """What the store needs of time; called in the writer's thread."""

    def now(self) -> int:
        """Milliseconds since 1970 in UTC."""


class NotFound(FlowNBError):
    """There is no such execution."""

    reason = "not_found"

    def __init__(self, execution_id: str) -> None:
        super().__init__(f"there is no execution {execution_id!r}")


@dataclass(frozen=True)
class Change:
    """One committed change of an execution: ``seq`` is its place in the journal; ``before`` is None at its creation.

    ``posted`` says that messages to people came into the outbox with it; ``led_to`` are changes of other executions
    that came of it in the same moment.
    """

    seq: int
    event: str
    at: int
    before: Execution | None
    after: Execution
    answer: transitions.Answer | None = None
    posted: bool = False
    led_to: tuple[Change, ...] = ()

    @property
    def settled(self) -> Execution:
        """The execution as it stands after all that its change has led to, which may concern itself."""
        own = (change for change in reversed(self.led_to) if change.after.id == self.after.id)
        return next((change.settled for change in own), self.after)


Post = Callable[[Change, Sequence[Json]], Sequence[outbox.Message]]
"""What people are told of a change, among it the mails that the step has written."""
