"""A contest: what is asked, who takes part, and which ratio is to be reached."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from benchmarks.figures import Sample
from benchmarks.participant import Bench, Participant, Round

Say = Callable[[str], None]
"""Tells whoever waits how far it is."""


@dataclass(frozen=True)
class Goal:
    """The median of one, over that of another, is to be at most ``limit``, or at least; with no other, the median."""

    of: str
    against: str | None
    limit: float
    at_least: bool = False


@dataclass
class Result:
    """What a participant's rounds gave, and why it gave no more."""

    name: str
    samples: list[Sample] = field(default_factory=list)
    failure: str | None = None


@dataclass(frozen=True)
class Question(ABC):
    """What is measured, in which unit, and what is to be reached."""

    name: str
    title: str
    unit: str
    goals: tuple[Goal, ...]

    @abstractmethod
    def results(self, bench: Bench, say: Say) -> list[Result]:
        """One for each participant, with whatever went wrong in it."""


@dataclass(frozen=True)
class Contest(Question):
    """All in turn, ``rounds`` times or ``quick`` times; one that fails is noted as such and left out from then on.

    With ``warm_up`` there is one more round before them that does not count: whoever has a first time has it there.
    """

    participants: tuple[Participant, ...]
    rounds: int
    quick: int
    warm_up: bool = True

    def results(self, bench: Bench, say: Say) -> list[Result]:
        found = [Result(one.name) for one in self.participants]
        with ExitStack() as stack:
            ready: list[tuple[Participant, Result, Round]] = []
            for participant, result in zip(self.participants, found, strict=True):
                if bench.quick and not participant.quick:
                    result.failure = "not in a quick run"
                    continue
                say(f"{self.name}: {participant.name} gets ready")
                with noting(result):
                    ready.append((participant, result, stack.enter_context(participant.enter(bench))))
            for number in range(-1 if self.warm_up else 0, self.quick if bench.quick else self.rounds):
                for participant, result, once in ready:
                    if result.failure is None and (number < 0 or number % participant.every == 0):
                        with noting(result):
                            value = once()
                            say(f"{self.name}, {number + 1}: {participant.name}: {value:.3f} {self.unit}")
                            if number >= 0:
                                result.samples.append((number, value))
        return found


@dataclass(frozen=True)
class Series(Question):
    """What a module measures by itself, all in turn: the values of each of ``participants``, round by round."""

    participants: tuple[str, ...]
    measure: Callable[[Bench], Mapping[str, Sequence[float]]]

    def results(self, bench: Bench, say: Say) -> list[Result]:
        say(f"{self.name}: all get ready")
        whole = Result(self.name)
        found: Mapping[str, Sequence[float]] = {}
        with noting(whole):
            found = self.measure(bench)
        return [Result(name, list(enumerate(found.get(name, ()))), whole.failure) for name in self.participants]


@dataclass(frozen=True)
class Held:
    """A contest that is over, with the load average over a minute before and after it."""

    contest: Question
    results: list[Result]
    seconds: float
    load: tuple[float, float]


def hold(contest: Question, bench: Bench, say: Say) -> Held:
    """Have the contest held."""
    load, began = os.getloadavg()[0], time.monotonic()
    results = contest.results(bench, say)
    return Held(contest, results, time.monotonic() - began, (load, os.getloadavg()[0]))


@contextmanager
def noting(result: Result) -> Iterator[None]:
    """One that breaks down costs the others nothing."""
    try:
        yield
    except Exception as error:
        result.failure = f"{type(error).__name__}: {error}".strip()
