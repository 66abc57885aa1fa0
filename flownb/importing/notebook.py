"""The notebook that a hosted workflow becomes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flownb.core.notebook import read
from flownb.importing.cells import cells
from flownb.importing.folder import Source
from flownb.importing.inputs import Inputs
from flownb.importing.notes import Note
from flownb.importing.settings import settings, workflow_name


@dataclass(frozen=True)
class Imported:
    """A notebook, as nbformat has it, the name that the workflow has now, and what is left to do."""

    name: str
    notebook: dict[str, Any]
    notes: tuple[Note, ...]


def imported(source: Source) -> Imported:
    """Raises ``NotebookError`` where what comes out is no workflow, as with two steps of one name."""
    notes: list[Note] = []
    inputs = Inputs()
    made = [{"cell_type": "markdown", "metadata": {}, "source": f"# {source.name}"}]
    for step in source.steps:
        made += cells(step, notes)
        if step.is_python:
            inputs.add(step)
        if step.said.get("disabled"):
            notes.append(Note(f"step {step.name}", "it was disabled", "take the tag `skip` away when it is to run"))
    for place, cell in enumerate(made):
        cell["id"] = f"cell-{place}"
    notes += inputs.notes
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
        "flownb": settings(source, inputs.declared, notes),
    }
    notebook = {"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    read(json.dumps(notebook))
    return Imported(workflow_name(source.name), notebook, tuple(notes))
