"""What is said of measured figures: their median and range, and how two of them compare."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

BLOCKS = 5
"""Into so many stretches of rounds a run is cut, to see by how much a ratio differs from one to the next."""

Sample = tuple[int, float]
"""The round, counted from 0, and what was measured in it."""


@dataclass(frozen=True)
class Summary:
    """Of samples, in their own unit."""

    median: float
    p99: float
    minimum: float
    maximum: float
    n: int


@dataclass(frozen=True)
class Ratio:
    """Of two medians; ``lowest`` and ``highest`` are those of the blocks of rounds."""

    ratio: float
    lowest: float
    highest: float


def summary(samples: Sequence[Sample]) -> Summary:
    """Raises ``ValueError`` where there is no sample."""
    values = sorted(value for _, value in samples)
    if not values:
        raise ValueError("there is no sample")
    return Summary(statistics.median(values), percentile(values, 99), values[0], values[-1], len(values))


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest value that so many per cent of all do not exceed; ``ordered`` ascends."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def compare(ours: Sequence[Sample], theirs: Sequence[Sample]) -> Ratio:
    """Our median over theirs; raises ``ValueError`` where either has no sample."""
    whole = summary(ours).median / summary(theirs).median
    rounds = 1 + max(number for number, _ in (*ours, *theirs))
    each = [whole]
    for block in blocks(rounds):
        first, second = _within(ours, block), _within(theirs, block)
        if first and second:
            each.append(statistics.median(first) / statistics.median(second))
    # The whole alone stands for its blocks where no block has samples of both.
    spread = each[1:] or each
    return Ratio(whole, min(spread), max(spread))


def blocks(rounds: int) -> list[range]:
    """``BLOCKS`` stretches of about the same length, or as many as there are rounds."""
    count = min(BLOCKS, rounds)
    bounds = [round(rounds * place / count) for place in range(count + 1)]
    return [range(first, last) for first, last in pairwise(bounds)]


def _within(samples: Iterable[Sample], block: range) -> list[float]:
    return [value for number, value in samples if number in block]
