"""Who takes part in a contest, and where a run takes place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.environments import Environments
from benchmarks.worker import Worker

Round = Callable[[], float]


@dataclass(frozen=True)
class Bench:
    """Where a run takes place, and how long it may take: ``quick`` is for seeing that all works."""

    folder: Path
    environments: Environments
    quick: bool

    def new(self, name: str) -> Path:
        """A folder that nobody else has; short, since it holds sockets."""
        folder = self.folder / f"{name}{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        return folder

    def worker(self, environment: str, module: str, *arguments: str) -> Worker:
        """A peer's process; raises ``NotInstalled``."""
        return Worker(self.environments.python(environment), module, self.new("w"), *arguments)


@dataclass(frozen=True)
class Participant:
    """``enter`` prepares and gives what does one round and returns what it measured.

    It takes part in every ``every``-th round; ``quick`` says whether in a quick run at all.
    """

    name: str
    enter: Callable[[Bench], AbstractContextManager[Round]]
    every: int = 1
    quick: bool = True


def asking(
    environment: str, module: str, command: str, *arguments: str, **said: object
) -> Callable[[Bench], AbstractContextManager[Round]]:
    """A participant's ``enter``: a peer's process that answers the same command in every round."""

    @contextmanager
    def enter(bench: Bench) -> Iterator[Round]:
        with bench.worker(environment, module, *arguments) as worker:
            yield lambda: float(worker.ask(command, **said))

    return enter
