"""Virtual environments that cost next to nothing: with the packages of the tests' own, and some modules besides."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path


def environment(folder: Path, *, packages: bool = True, **modules: str) -> Path:
    """The interpreter of a new environment with modules of these names and contents."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    site = site_of(folder)
    if packages:
        (site / "packages.pth").write_text(sysconfig.get_paths()["purelib"])
    for name, content in modules.items():
        (site / f"{name}.py").write_text(content)
    return folder / "bin" / "python"


def site_of(folder: Path) -> Path:
    """Where an environment keeps its modules."""
    (site,) = folder.glob("lib/python*/site-packages")
    return site
