"""Where a server's time goes: samples of all its threads, by py-spy."""

from __future__ import annotations

import subprocess
import tempfile
from collections import Counter
from pathlib import Path

SHOWN = 20
SAMPLES_A_SECOND = 100


class Profile:
    """Samples a process for so many seconds while a block runs; for none, it does nothing."""

    def __init__(self, pid: int, seconds: int) -> None:
        self._pid = pid
        self._seconds = seconds
        self._stacks = ""

    def __enter__(self) -> Profile:
        if self._seconds:
            self._folder = tempfile.TemporaryDirectory()
            self._file = Path(self._folder.name) / "stacks"
            command = ["py-spy", "record", "--gil", "--threads", "--format", "raw", "--output", str(self._file)]
            command += ["--pid", str(self._pid), "--duration", str(self._seconds), "--rate", str(SAMPLES_A_SECOND)]
            self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, *error: object) -> None:
        if self._seconds:
            self._process.wait()
            self._stacks = self._file.read_text()
            self._folder.cleanup()

    def shares(self) -> list[tuple[str, float]]:
        """Per cent of the samples in which a thread held the interpreter: by thread, by the package whose
        code ran, and by function of ours with all that it calls.
        """
        threads, packages, functions, total = Counter[str](), Counter[str](), Counter[str](), 0
        for line in self._stacks.splitlines():
            stack, _, count = line.rpartition(" ")
            frames = stack.split(";")
            total += int(count)
            threads[frames[0].rpartition(": ")[2]] += int(count)
            packages[f"in {_package(frames[-1])}"] += int(count)
            for frame in {frame.rpartition(":")[0] for frame in frames if "flownb/" in frame}:
                functions[frame] += int(count)
        most = [*threads.most_common(SHOWN), *packages.most_common(SHOWN), *functions.most_common(SHOWN)]
        return [(where, 100 * count / total) for where, count in most]


def _package(frame: str) -> str:
    """Of ``function (package/module.py:12)``; a module of the standard library is its own."""
    return frame.rpartition("(")[2].partition(":")[0].partition("/")[0]
