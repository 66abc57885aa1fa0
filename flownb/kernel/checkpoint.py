"""The checkpoint of a step, made behind its cell in the same request."""

from __future__ import annotations

import sys
import threading

from flownb.kernel import snapshot
from flownb.kernel.reply import Reply
from flownb.kernel.step import announce_end

LONGEST_WAIT = 1.0
"""In seconds; whoever has stopped the thread that sends has lost the word anyway."""


def save(where: str, file: str, most: str) -> Reply:
    """As ``snapshot.save``. The step's result is sent off first: pickling may take its time, and end the process."""
    announce_end()
    _let_it_leave()
    return snapshot.save(where, file, most)


def _let_it_leave() -> None:
    """Pickling may keep all other threads waiting, among them the one that sends."""
    thread = getattr(sys.stdout, "pub_thread", None)
    if thread is not None:
        left = threading.Event()
        thread.schedule(left.set)
        left.wait(LONGEST_WAIT)
