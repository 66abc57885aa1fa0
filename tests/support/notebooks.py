"""Notebooks in a few words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def cell(source: str, name: str | None = None, *tags: str) -> dict[str, Any]:
    """A code cell, with a name and tags if it is to have any."""
    metadata: dict[str, Any] = {"tags": list(tags)} if tags else {}
    if name is not None:
        metadata["name"] = name
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": [], "execution_count": None}


def notebook(*cells: str | dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """A notebook of cells; plain text is an unnamed code cell."""
    made = [cell(one) if isinstance(one, str) else dict(one) for one in cells]
    for place, one in enumerate(made):
        one["id"] = f"c{place}"
    return {"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def write(folder: Path, name: str, *cells: str | dict[str, Any], **metadata: Any) -> str:
    """Write a notebook into a folder; returns its name, which is its path in a server with that root."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook(*cells, **metadata)))
    return name
