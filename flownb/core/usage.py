"""What a change of an execution adds to the bill: compute, waiting and credits, by segment and step."""

from __future__ import annotations

from dataclasses import dataclass

from flownb.core.model import Execution


@dataclass(frozen=True)
class Spent:
    """What one change added to a segment, in ms and credits, and to the compute time of steps by their names.

    Time suspended belongs to the segment that the pause has ended: after the last one there may be no other.
    """

    segment: int
    compute_ms: int
    suspended_ms: int
    credits: int
    steps: tuple[tuple[str, int], ...] = ()


def spent(before: Execution, after: Execution) -> Spent | None:
    """What there is to add; None where a change costs nothing."""
    compute, suspended = after.compute_ms - before.compute_ms, after.suspended_ms - before.suspended_ms
    if not compute and not suspended and after.segments == before.segments:
        return None
    steps: tuple[tuple[str, int], ...] = ()
    if compute:
        known = {step.name: step.compute_ms for step in before.steps}
        more = ((step.name, step.compute_ms - known.get(step.name, 0)) for step in after.steps)
        steps = tuple((name, added) for name, added in more if added)
    return Spent(after.segments, compute, suspended, after.credits - before.credits, steps)
