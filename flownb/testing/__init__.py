"""Notebooks tested as workflows: a pytest plugin, whose fixture ``flownb`` runs them on a real server.

Importing it stays light, since pytest imports it wherever flownb is installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flownb.testing.deployed import Deployed as Deployed
    from flownb.testing.run import Run as Run
    from flownb.testing.steps import Step as Step
    from flownb.testing.workflows import Workflows as Workflows

PLACES = {
    "Deployed": "flownb.testing.deployed",
    "Run": "flownb.testing.run",
    "Step": "flownb.testing.steps",
    "Workflows": "flownb.testing.workflows",
}


def __getattr__(name: str) -> Any:
    if name not in PLACES:
        raise AttributeError(f"module 'flownb.testing' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(PLACES[name]), name)
