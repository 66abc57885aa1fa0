"""Files that are there as a whole or not at all, whatever happens, power loss included."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from flownb import faults


def write(path: Path, parts: Iterable[bytes | memoryview]) -> None:
    """Makes the file at ``path``, mode 0600; on disk when this returns. Nobody may know of it before that.

    Raises ``FileExistsError``, and ``OSError`` on a full disk: no file is left behind then.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            # The name and the content at the same time: one after the other, each would wait for a turn of the disk.
            named = _aside().submit(sync_folder, path.parent)
            file.writelines(parts)
            file.flush()
            faults.point("checkpoint.aside")
            os.fsync(file.fileno())
            named.result()
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder lasting; raises ``OSError``."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@cache
def _aside() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="flownb")
