"""What the caller of an HTTP trigger is told that came of the event, where no step has answered."""

from __future__ import annotations

from flownb.core.model import Execution, Status
from flownb.server.pages import Told

ACCEPTED = Told(
    200,
    "accepted",
    title="Accepted",
    message="The event is on record: the workflow begins as soon as there is room.",
)
UNDER_WAY = Told(
    202,
    "accepted",
    title="Under way",
    message="The event is on record and the workflow is at it; there was no answer in the time that a caller waits.",
)
OUTCOMES = {
    Status.SUSPENDED: Told(
        202,
        "suspended",
        title="The workflow waits",
        message="The workflow has paused before it gave an answer: it goes on later.",
    ),
    Status.SUCCEEDED: Told(
        400,
        "no_response",
        title="No answer",
        message="No pd.respond called in workflow",
    ),
    Status.FAILED: Told(
        500,
        "failed",
        title="Failed",
        message="The workflow failed before it gave an answer; its record says why.",
    ),
    Status.CANCELLED: Told(
        409,
        "cancelled",
        title="Cancelled",
        message="The workflow was cancelled before it gave an answer.",
    ),
}


def outcome(execution: Execution) -> Told:
    """How an execution stands that has given no answer."""
    return OUTCOMES.get(execution.status, UNDER_WAY)
