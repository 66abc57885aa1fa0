"""Where the sockets of kernels are: a folder with a short path, since that of a Unix socket is limited."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = "flownb-"


class SocketFolder:
    """A folder in the system's temporary one, for its owner alone.

    Its name is noted where the next server finds it: a server that was killed could not remove its own. The note is
    locked for as long as its server lives, so that others on the same data folder leave the sockets alone.
    """

    def __init__(self, notes: Path) -> None:
        notes.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in notes.glob(f"{PREFIX}*"):
            _remove_left(left)
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._note = notes / self.path.name
        unlocked = notes / f"new-{self.path.name}"
        self._lock = os.open(unlocked, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unlocked.rename(self._note)

    def remove(self) -> None:
        """May be called again."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._note.exists():
            self._note.unlink(missing_ok=True)
            os.close(self._lock)


def _remove_left(note: Path) -> None:
    """Remove the folder of a server that is gone."""
    try:
        lock = os.open(note, os.O_RDWR)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(Path(tempfile.gettempdir()) / note.name, ignore_errors=True)
        note.unlink(missing_ok=True)
    except BlockingIOError:
        return
    finally:
        os.close(lock)
