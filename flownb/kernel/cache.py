"""Blobs that were fetched, on this kernel's machine: for a kernel that soon needs them again."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

MOST = 4 * 1024**3
"""Bytes that are kept, the latest used."""

LONGEST = 86_400.0
"""Seconds after its last use after which a blob goes whatever room there is."""

IN_USE = 600.0
"""Seconds for which a blob stays after its use: somebody may be about to map it."""


def cache_folder() -> Path:
    """For the user's own eyes; raises ``OSError``."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    try:
        return _made(Path(home) / "flownb" / "snapshots")
    except OSError:  # a home that is not there, or cannot be written
        return _made(Path(tempfile.gettempdir()) / f"flownb-snapshots-{os.getuid()}")


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise PermissionError(f"{folder} is not this user's alone")
    with tempfile.TemporaryFile(dir=folder):
        return folder


def trim(folder: Path) -> None:
    """Remove what has not been used for long, and the longest unused above ``MOST``; what is mapped stays mapped."""
    now, kept = time.time(), 0
    for used, size, path in sorted(_files(folder), reverse=True):
        kept += size
        if now - used > LONGEST or (kept > MOST and now - used > IN_USE):
            with suppress(OSError):
                os.unlink(path)  # noqa: PTH108 - paths of a scan


def _files(folder: Path) -> list[tuple[float, int, str]]:
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                found.append((status.st_mtime, status.st_size, entry.path))
    return found
