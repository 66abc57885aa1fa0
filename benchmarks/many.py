"""A server's folder with many suspended executions, made once in a run for all who ask for as many."""

from __future__ import annotations

from functools import cache
from itertools import count
from pathlib import Path

from benchmarks.multiplied import make, resume_token
from benchmarks.participant import Bench
from flownb.store.folder import DataFolder


class Many:
    """So many suspended executions, each of which can be resumed once."""

    def __init__(self, folder: Path, executions: int) -> None:
        self.folder = folder
        make(folder / "root", executions)
        self._numbers = count()

    def link(self) -> str:
        """The path that resumes another one of them."""
        token = resume_token(DataFolder(self.folder / "root" / ".flownb"), next(self._numbers))
        return f"/flownb/resume/{token}"


@cache
def many(bench: Bench, executions: int) -> Many:
    return Many(bench.new("m"), executions)
