"""What kernels have in common, imported before they are forked."""

from __future__ import annotations

import _thread
import gc
import importlib
import os
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

INLINE = "module://matplotlib_inline.backend_inline"
"""matplotlib reads its backend when it is imported; kernels set this one later than that."""

A_KERNEL_STARTS_WITH = ("ipykernel.kernelapp", "ipykernel.debugger", "flownb.kernel.boot", "flownb.kernel.snapshot")


TASKS = Path("/proc/self/task")
"""The threads of this process, Python's and others."""

_tasks = 1


class NotForkable(Exception):
    """There is something in this process that would be broken in a fork."""


def installations() -> dict[str, int]:
    """The folders of installed packages on the path, and when something was installed there last (nanoseconds)."""
    folders = [entry for entry in sys.path if entry.endswith("-packages") and Path(entry).is_dir()]
    return {folder: Path(folder).stat().st_mtime_ns for folder in folders}


def preload(modules: Iterable[str]) -> None:
    """Import those that are there; raises ``NotForkable``."""
    os.environ.setdefault("MPLBACKEND", INLINE)
    for name in modules:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if not f"{name}.".startswith(f"{error.name}."):
                raise NotForkable(f"{name} cannot be imported: {error!r}") from error
        except Exception as error:  # whatever a library raises; what is left of it would be in each kernel
            raise NotForkable(f"{name} cannot be imported: {error!r}") from error
        refuse_threads(f"importing {name}")


def preload_quietly(modules: Iterable[str]) -> None:
    """Import what a kernel has imported by itself, as far as that has names; raises ``NotForkable``."""
    for name in modules:
        with suppress(Exception):
            importlib.import_module(name)
    refuse_threads("what a kernel imports")


@cache
def set_by_imports() -> dict[str, str]:
    """The environment variables that this process did not come with, or with another value."""
    entries = os.fsdecode(Path("/proc/self/environ").read_bytes()).split("\0")
    at_start = dict(entry.split("=", 1) for entry in entries if "=" in entry)
    return {name: value for name, value in os.environ.items() if at_start.get(name) != value}


def freeze() -> None:
    """Keep the search for garbage from writing to memory that is shared with the kernels, which start without it."""
    set_by_imports()
    gc.collect()
    gc.freeze()
    gc.disable()


def refuse_threads(cause: str) -> None:
    """Raises ``NotForkable`` where there is another thread of Python, or one of ZMQ's."""
    _let_threads_begin()
    others = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    if others or _thread._count():
        raise NotForkable(f"{cause} starts a thread ({', '.join(others) or 'a nameless one'})")
    if any(_name(task).startswith("ZMQ") for task in TASKS.iterdir()):
        raise NotForkable(f"{cause} makes a ZMQ context")


def _let_threads_begin() -> None:
    """Python counts a thread when it runs, the system when it is made."""
    global _tasks
    before, _tasks = _tasks, len(list(TASKS.iterdir()))
    if _tasks > before:
        time.sleep(0.1)


def _name(task: Path) -> str:
    try:
        return (task / "comm").read_text()
    except OSError:  # ended meanwhile
        return ""
