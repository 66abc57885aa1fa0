"""The author's own modules, beside the notebook: a snapshot names them, and they may change while it waits."""

from __future__ import annotations

import sys
from pathlib import Path

from flownb.core.sources import source_digest

_folder = ""
_foreign: set[str] = set()
"""The names of modules that are not the author's: there may be thousands, and this is asked after each cell."""

_known: dict[str, tuple[tuple[int, int], str]] = {}
"""By path: time and size of a file, and the digest it then had."""


def note_folder() -> None:
    """Remembers the working directory of the kernel as the notebook's folder."""
    global _folder
    _folder = str(Path.cwd() / "_")[:-1]


def local() -> dict[str, dict[str, str]]:
    """The modules in use that were imported from files below the notebook's folder: path and digest of each."""
    if not _folder:
        return {}
    found = {}
    for name in sorted(sys.modules.keys() - _foreign):
        file = getattr(sys.modules.get(name), "__file__", None)
        if not isinstance(file, str) or not _is_local(file):
            _foreign.add(name)
        elif digest := _digest(file):
            found[name] = {"path": file, "digest": digest}
    return found


def _is_local(file: str) -> bool:
    return file.startswith(_folder) and file.endswith(".py") and "site-packages" not in Path(file).parts


def _digest(file: str) -> str:
    """Of the file as it is now; empty where it cannot be read."""
    try:
        status = Path(file).stat()
        state = (status.st_mtime_ns, status.st_size)
        if _known.get(file, (None,))[0] != state:
            _known[file] = state, source_digest(Path(file).read_bytes())
    except OSError:
        return ""
    return _known[file][1]
