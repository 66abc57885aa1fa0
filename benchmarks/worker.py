"""A peer's process, which lives as long as its contest and is asked for one round after the other."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

REPOSITORY = Path(__file__).parents[1]
STOP_SECONDS = 15.0


class WorkerFailed(Exception):
    """The peer's process raised, or ended; its own words are in the message."""


class Worker:
    """``benchmarks.peers.MODULE`` under an interpreter; while it is not asked it is stopped, and polls nothing."""

    def __init__(self, python: Path, module: str, folder: Path, *arguments: str) -> None:
        """``folder`` is the process's own, and holds its log."""
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / "log.txt"
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [python, "-P", "-m", f"benchmarks.peers.{module}", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=folder,
                env=environment,
                text=True,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, command: str, **arguments: Any) -> Any:
        """What the peer's command returns; raises ``WorkerFailed``."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._signal(signal.SIGCONT)
        try:
            print(json.dumps({"do": command, "with": arguments}), file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise WorkerFailed(f"the process ended: {self._last_words()}")
        said = json.loads(line)
        if "error" in said:
            raise WorkerFailed(said["error"].strip().splitlines()[-1])
        self._signal(signal.SIGSTOP)
        return said["value"]

    def _last_words(self) -> str:
        return " | ".join(self._log.read_text(errors="replace").strip().splitlines()[-3:])

    def _signal(self, which: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, which)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """End it with all that it has started."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._signal(signal.SIGCONT)
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._process.stdout.close()
