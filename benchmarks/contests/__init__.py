"""The contests, each a module of its own, in the order in which they are held."""

from __future__ import annotations

from benchmarks.contest import Question
from benchmarks.contests import accepts, each, herd, memory, restart, resume, start, whole

ALL: tuple[Question, ...] = (
    start.CONTEST,
    whole.CONTEST,
    each.CONTEST,
    resume.CONTEST,
    herd.CONTEST,
    accepts.CONTEST,
    memory.CONTEST,
    restart.CONTEST,
)
