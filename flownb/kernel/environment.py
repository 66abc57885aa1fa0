"""The Python a kernel runs on, its packages, and its environment variables."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping

_at_start: dict[str, str] = {}

_looked_at: set[str] = set()
_versions: dict[str, str] = {}
"""Of the packages in use."""


def python() -> str:
    """The version that snapshots depend on, as in ``3.11``."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def packages(pickles: bytes) -> dict[str, str]:
    """The versions of Python and of the packages that ``pickles`` refer to."""
    _note_versions()
    mentioned = {name: version for name, version in _versions.items() if _mentioned(name, pickles)}
    return {"python": platform.python_version(), **mentioned}


def _note_versions() -> None:
    """Looks at the modules that are new: this is asked after each cell, and there may be thousands."""
    for name in sys.modules.keys() - _looked_at:
        _looked_at.add(name)
        # Not by `getattr`: an attribute may be made when it is asked for.
        version = getattr(sys.modules.get(name), "__dict__", {}).get("__version__")
        if isinstance(version, str) and "." not in name:
            _versions[name] = version


def _mentioned(package: str, pickles: bytes) -> bool:
    """Whether pickles name a module of that package, as the opcode for short text writes it."""
    name = package.encode()
    return b"\x8c" + bytes([len(name)]) + name + b"\x94" in pickles or (name + b".") in pickles


def note() -> None:
    """Remembers the environment variables as the kernel came with them."""
    _at_start.update(os.environ)


def changes() -> dict[str, str | None]:
    """The environment variables that the author's code set, and None for those it removed."""
    now = dict(os.environ)
    gone: dict[str, str | None] = dict.fromkeys(_at_start.keys() - now.keys())
    return gone | {name: value for name, value in now.items() if _at_start.get(name) != value}


def enter(changed: Mapping[str, str | None]) -> None:
    """Makes the same changes again."""
    for name, value in changed.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
