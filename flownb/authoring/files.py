"""Which file the notebook in front of the author is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from flownb.core.errors import FlowNBError


class Plain(FlowNBError):
    """What an author is to read as it is, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return []


def notebook_file(shell: Any) -> Path | None:
    """The notebook that this kernel belongs to, as far as Jupyter Server or VS Code has told the kernel."""
    said = os.environ.get("JPY_SESSION_NAME") or shell.user_ns.get("__vsc_ipynb_file__")
    path = Path(said).resolve() if isinstance(said, str) else None
    return path if path is not None and path.suffix == ".ipynb" and path.is_file() else None


def chosen_file(given: str, shell: Any) -> Path:
    """The file of that name, or this notebook's where none is given; raises ``Plain`` where there is none."""
    if given:
        path = Path(given).resolve()
        if not path.is_file():
            raise Plain(f"there is no file {path}")
        return path
    found = notebook_file(shell)
    if found is None:
        raise Plain("the kernel was not told which file this notebook is: save it and add its path to the line")
    return found
