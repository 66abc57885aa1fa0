"""What belongs to the process rather than to a variable, and goes on across a pause all the same."""

from __future__ import annotations

import contextlib
import importlib
import os
import random
import sys
from collections.abc import Iterable
from typing import Any

_path_at_start: frozenset[str] = frozenset()


def note_path() -> None:
    """Remembers ``sys.path`` as the kernel came with it: what is added later is the author's."""
    global _path_at_start
    _path_at_start = frozenset(sys.path)


def added_path() -> list[tuple[int, str]]:
    """The author's entries of ``sys.path``, each with its place."""
    return [(place, entry) for place, entry in enumerate(sys.path) if entry not in _path_at_start]


def folder() -> str | None:
    """The working directory; None where it was deleted."""
    try:
        return str(os.getcwd())  # noqa: PTH109
    except FileNotFoundError:
        return None


def enter(directory: str | None, path: Iterable[tuple[int, str]]) -> None:
    """Puts working directory and ``sys.path`` back, as far as the folder is still there and may be entered."""
    if directory is not None:
        with contextlib.suppress(OSError):
            os.chdir(directory)
    for place, entry in path:
        if entry not in sys.path:
            sys.path.insert(place, entry)


def random_states() -> dict[str, Any]:
    """The states of Python's random numbers, and of numpy's where it is in use."""
    states = {"random": random.getstate()}
    if "numpy.random" in sys.modules:
        states["numpy"] = sys.modules["numpy.random"].get_state()
    return states


def set_random_states(states: dict[str, Any]) -> None:
    """Lets random numbers go on where ``random_states`` was called."""
    random.setstate(states["random"])
    if "numpy" in states:
        importlib.import_module("numpy.random").set_state(states["numpy"])
