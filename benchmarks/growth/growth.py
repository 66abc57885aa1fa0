"""A growth: sizes, and who is measured at each of them."""

from __future__ import annotations

import os
import statistics
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.contest import Result, noting
from benchmarks.participant import Bench

Measured = Callable[[int], dict[str, float]]
"""What a size costs, by the names of the curves that it is put on."""


@dataclass(frozen=True)
class Growth:
    """``rounds`` of each size, with all sources in turn; a quick run takes ``quick`` of the sizes, once each.

    ``over`` says what the sizes count. A source stops at the first size where it fails.
    """

    name: str
    title: str
    over: str
    unit: str
    sizes: tuple[int, ...]
    quick: int
    rounds: int
    sources: tuple[Callable[[Bench], AbstractContextManager[Measured]], ...]


def measure(growth: Growth, bench: Bench, say: Callable[[str], None]) -> dict[str, Any]:
    """The growth as data: ``curves`` of ``points``, pairs of a size and the median there."""
    load = os.getloadavg()[0]
    values: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    results = [Result(f"source {place}") for place in range(len(growth.sources))]
    with ExitStack() as stack:
        ready: list[tuple[Result, Measured]] = []
        for source, result in zip(growth.sources, results, strict=True):
            with noting(result):
                ready.append((result, stack.enter_context(source(bench))))
        for size in growth.sizes[: growth.quick if bench.quick else None]:
            for _ in range(1 if bench.quick else growth.rounds):
                for result, at in ready:
                    if result.failure is None:
                        with noting(result):
                            for name, value in at(size).items():
                                values[name][size].append(value)
                                say(f"{growth.name}, {size:,} {growth.over}: {name}: {value:.3f} {growth.unit}")
    said = asdict(growth)
    del said["sources"], said["quick"]
    curves = [
        {"name": name, "points": [(size, statistics.median(found)) for size, found in sizes.items()], "samples": sizes}
        for name, sizes in values.items()
    ]
    failures = [result.failure for result in results if result.failure]
    return {**said, "curves": curves, "failures": failures, "load": (load, os.getloadavg()[0])}
