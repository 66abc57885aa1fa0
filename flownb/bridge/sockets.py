"""Where the sockets of kernels are: a folder with a short path, since that of a Unix socket is limited."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

PREFIX = "flownb-"


class SocketFolder:
    """A folder in the system's temporary one, for its owner alone.

    Its path is noted where the next server finds it: a server that was killed could not remove its own.
    """

    def __init__(self, note: Path) -> None:
        self._note = note
        self._remove_noted()
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        note.touch(mode=0o600)
        note.write_text(str(self.path))

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self._note.unlink(missing_ok=True)

    def _remove_noted(self) -> None:
        try:
            left = Path(self._note.read_text())
        except OSError:
            return
        if left.parent == Path(tempfile.gettempdir()) and left.name.startswith(PREFIX):
            shutil.rmtree(left, ignore_errors=True)
