"""One server at a time owns a data folder: the others stand by and take over when it is gone or frozen."""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

BEAT = 2.0
"""Seconds between two signs of life of the owner, and between two looks of those that stand by."""

SILENCE = 20.0
"""Seconds without a sign of life after which the owner counts as frozen. It may commit nothing later."""


class Lease:
    """A locked file that says who owns the folder.

    The operating system frees the lock when its holder dies, so a successor need not wait. A holder that lives but
    gives no sign of life (frozen, or on a suspended machine) loses its file: the successor puts a new one in place.
    """

    def __init__(self, path: Path, owner: Mapping[str, Any], lost: Callable[[], None]) -> None:
        """``lost`` is called, in a thread, when a successor has taken the folder."""
        self._path = path
        self._owner = dict(owner)
        self._lost = lost
        self._file: int | None = None
        self._stop = threading.Event()
        self._changing = threading.Lock()
        self._beat: threading.Thread | None = None

    def acquire(self) -> bool:
        """Wait until the folder is this server's; False where ``release`` came first. Blocks: call it in a thread."""
        watched: tuple[float, float] = (0.0, time.monotonic())
        while not self._stop.is_set():
            if self._claim():
                return True
            beat = self._last_beat()
            if beat != watched[0]:
                watched = (beat, time.monotonic())
            elif time.monotonic() - watched[1] > SILENCE:
                self._path.unlink(missing_ok=True)
            self._stop.wait(BEAT / 4)
        return False

    def take(self) -> bool:
        """Take the folder if it is free now."""
        return self._claim()

    def release(self) -> None:
        """Give the folder up, or stop waiting for it."""
        self._stop.set()
        with self._changing:
            if self._beat is not None:
                self._beat.join()
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def owner(self) -> dict[str, Any]:
        """What the active server said of itself."""
        try:
            found = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _claim(self) -> bool:
        """Take the folder if it is free, unless ``release`` came meanwhile: what it did not see would stay locked."""
        with self._changing:
            if self._stop.is_set() or not self._try():
                return False
            self._beat = threading.Thread(target=self._keep_alive, name="flownb-lease", daemon=True)
            self._beat.start()
            return True

    def _try(self) -> bool:
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return False
        try:
            if self._in_place(file):
                os.ftruncate(file, 0)
                os.write(file, json.dumps(self._owner).encode())
                self._file = file
                return True
        finally:
            if self._file is None:
                os.close(file)
        return False

    def _in_place(self, file: int) -> bool:
        """Whether the locked file is still the one that others see."""
        try:
            return os.path.samestat(os.fstat(file), self._path.stat())
        except OSError:
            return False

    def _last_beat(self) -> float:
        try:
            return self._path.stat().st_mtime
        except OSError:
            return 0.0

    def _keep_alive(self) -> None:
        assert self._file is not None
        while not self._stop.wait(BEAT):
            if not self._in_place(self._file):
                self._lost()
                return
            os.utime(self._file)
