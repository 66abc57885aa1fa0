"""How many requests to resume URLs are accepted in a second, each of them on disk?"""

from __future__ import annotations

from benchmarks import accept
from benchmarks.contest import Goal, Series
from benchmarks.participant import Bench

FULL = (5, 2_000)
QUICK = (2, 200)
"""Rounds, and requests in each."""


def measure(bench: Bench) -> dict[str, list[float]]:
    """Requests a second; few of them in a quick run."""
    found: dict[str, list[float]] = accept.measure(*QUICK if bench.quick else FULL)["requests_per_second"]
    return found


CONTEST = Series(
    name="accepts",
    title="Resumes accepted in a second, each on disk, beside a POST of 1 KB that does nothing",
    unit="1/s",
    goals=tuple(Goal(who, accept.BARE, limit, at_least=True) for who, limit in accept.GOALS.items()),
    participants=(accept.BARE, *accept.GOALS),
    measure=measure,
)
