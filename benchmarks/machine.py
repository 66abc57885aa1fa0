"""On what was measured: a figure without its machine says little."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib.metadata import PackageNotFoundError, version

import psutil

from benchmarks.environments import PINS

OURS = (
    "flownb",
    "ipykernel",
    "ipython",
    "jupyter_client",
    "jupyter_server",
    "numpy",
    "pandas",
    "pyzmq",
    "tornado",
)


def describe() -> dict[str, object]:
    """Cores, memory, systems and the versions of everything that takes part."""
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "versions": {package: _version(package) for package in OURS},
        "peers": {name: list(pins) for name, pins in PINS.items()},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
