"""The standard streams of a kernel."""

from __future__ import annotations

import sys
from typing import Any


def flush_what_there_is() -> None:
    """ipykernel flushes both streams several times for each cell: one that is empty is not to wake another thread.

    Streams of another make than ipykernel's are left alone.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "pub_thread") and hasattr(stream, "_buffers"):
            _spare(stream)


def _spare(stream: Any) -> None:
    ordinary = type(stream).flush

    def flush() -> None:
        if stream._buffers:
            ordinary(stream)

    stream.flush = flush
