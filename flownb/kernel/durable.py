"""Files that are there as a whole or not at all, whatever happens, power loss included."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from flownb import faults


def write(path: Path, parts: Iterable[bytes | memoryview]) -> None:
    """Replaces the file at ``path``, mode 0600; on disk when this returns.

    Raises ``OSError`` on a full disk: the former file stays then, and no other is left behind.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        faults.point("checkpoint.aside")
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder lasting; raises ``OSError``."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
