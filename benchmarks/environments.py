"""The peers' environments: each is made once, and used again as long as its pins stay the same."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

FOLDER = Path.home() / ".cache" / "flownb-benchmarks"

SAME = ("ipykernel", "ipython", "jupyter_client", "nbformat", "pyzmq", "tornado")
"""What notebook runners have in common with flownb: as it has them here, so that only the runners differ."""

OWN = "own"
"""The environment that flownb is in: for jupyter_client, which comes with it."""

PINS = {
    "notebooks": ("nbclient==0.11.0", "papermill==2.7.0"),
    "dbos": ("dbos==3.4.0",),
    "langgraph": ("langgraph==1.2.22", "langgraph-checkpoint-sqlite==3.1.2"),
    # Its server does not come up with fastapi as it is now.
    "prefect": ("prefect==3.8.8", "fastapi==0.139.0"),
}


class NotInstalled(Exception):
    """A peer's environment could not be made; the installer's own words are in the message."""


class Environments:
    """Interpreters in which the peers are installed; with ``here`` this very one, whatever it has."""

    def __init__(self, folder: Path, *, here: bool = False) -> None:
        self._folder = folder
        self._here = here

    def python(self, name: str) -> Path:
        """The interpreter for a peer; raises ``NotInstalled``."""
        if self._here or name == OWN:
            return Path(sys.executable)
        pins = requirements(name)
        digest = hashlib.sha256(" ".join((sys.version, *pins)).encode()).hexdigest()[:10]
        folder = self._folder / f"{name}-{digest}"
        python = folder / "bin" / "python"
        if not (folder / "made").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _run(sys.executable, "-m", "venv", str(folder))
            _run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *pins)
            # Compiled beforehand: an environment without would start far slower.
            _run(str(python), "-m", "compileall", "-q", str(folder / "lib"), check=False)
            (folder / "made").touch()
        return python


def requirements(name: str) -> tuple[str, ...]:
    """What is installed for a peer, each with its version."""
    same = tuple(f"{package}=={version(package)}" for package in SAME) if name == "notebooks" else ()
    return PINS[name] + same


def _run(*command: str, check: bool = True) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if check and done.returncode:
        raise NotInstalled(" | ".join(done.stderr.strip().splitlines()[-3:]))
