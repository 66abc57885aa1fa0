"""The command line as a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.client_support import Server, environment, server

__all__ = ["environment", "server"]

COMMAND = Path(sys.executable).with_name("flownb")


@dataclass(frozen=True)
class Ran:
    """What a command has said, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run_in(folder: Path, *arguments: str) -> Ran:
    """Run ``flownb`` in a folder."""
    done = subprocess.run([COMMAND, *arguments], cwd=folder, capture_output=True, text=True, timeout=60)
    return Ran(done.returncode, done.stdout, done.stderr)


FlowNB = Callable[..., Ran]
Begin = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def flownb(server: Server) -> FlowNB:
    """Runs ``flownb`` in the folder that the server serves."""
    return lambda *arguments: run_in(server.root, *arguments)


@pytest.fixture
def begin(environment: None) -> Iterator[Begin]:
    """Starts ``flownb`` in a folder and leaves it running."""
    begun: list[subprocess.Popen[str]] = []

    def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [COMMAND, *arguments],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=_as_in_a_terminal,
        )
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.terminate()
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


def _as_in_a_terminal() -> None:
    """What a shell starts in the background, these tests maybe, is deaf to Ctrl-C, and so are its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def fact(process: subprocess.Popen[str], label: str) -> str:
    """The value behind a label, as soon as it is printed."""
    assert process.stdout is not None
    return next(words[1] for line in process.stdout if (words := line.split())[:1] == [label])


def ctrl_c(process: subprocess.Popen[str]) -> int:
    """The status of a command that is interrupted.

    Python notices a signal that comes right before a system call only when that call is over: here, at the latest,
    when the stream of events shows that it is alive.
    """
    process.send_signal(signal.SIGINT)
    return process.wait(60)
