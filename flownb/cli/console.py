"""Where the commands write to."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console

WIDE = 400
"""Columns where the output is no terminal: nothing is cut there."""


def output() -> Console:
    """For what a command is there to say."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)


def errors() -> Console:
    """For errors, and for the progress of commands whose output is JSON."""
    return Console(highlight=False, stderr=True, width=None if sys.stderr.isatty() else WIDE)


def print_json(document: Any) -> None:
    """One JSON document, and nothing else, to the standard output."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
