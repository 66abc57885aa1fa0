"""IPython, as far as flownb needs it."""

from __future__ import annotations

from typing import Any

from IPython.core.getipython import get_ipython


def shell() -> Any:
    """The shell that runs the author's cells. Snapshots refer to this function by name."""
    return get_ipython()
