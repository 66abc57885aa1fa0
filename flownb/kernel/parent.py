"""A process that is not to outlive its parent."""

from __future__ import annotations

import signal
import sys

PR_SET_PDEATHSIG = 1
"""Of Linux' ``prctl(2)``."""


def end_with_parent() -> None:
    """Have the system kill this process as soon as its parent has ended, where the system can do it."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
