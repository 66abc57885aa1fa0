"""The notebooks that are run, in a few words."""

from __future__ import annotations

import json
from pathlib import Path

SUSPEND = "pd.flow.suspend();"

MAKE = "import os\npd.export('pid', os.getpid())\ntotal = 42"
FIRST_LINE = "import time; at = time.time_ns()\npd.export('at', at)\npd.export('pid', os.getpid())\ntotal"
"""What tells when its first line ran, and in which process; needs what ``MAKE`` has made."""


def trivial(cells: int) -> list[str]:
    return [f"x = {place}" for place in range(cells)]


def write(path: Path, *cells: str) -> str:
    """Write a notebook of these cells; returns its name."""
    made: list[dict[str, object]] = [
        {
            "id": f"c{place}",
            "cell_type": "code",
            "source": source,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for place, source in enumerate(cells)
    ]
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": made, "metadata": {"kernelspec": kernelspec}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook))
    return path.name
