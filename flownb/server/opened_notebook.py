"""The notebook of an opened execution: what has been shown so far, with a word on what this is; and back again."""

from __future__ import annotations

import copy
import json
from itertools import count
from pathlib import Path
from typing import Any

import nbformat

from flownb.core.errors import NotebookError
from flownb.core.model import Execution, Json
from flownb.core.notebook import Workflow, strip, workflow

INTRODUCTION, CONTINUE = "flownb-opened", "flownb-continue"
"""The ids of the cells that are ours."""

OF_THE_RECORD = ("flownb", "execution", "trusted")
"""Metadata of cells that is no part of a workflow."""


def opened_notebook(execution: Execution, place: int, left_by: str, executed: Json) -> Json:
    """The executed notebook with an introduction, and a button behind the last cell that has run."""
    notebook = copy.deepcopy(executed)
    cells: list[Any] = notebook["cells"]
    done = {step.cell_id for step in execution.steps[:place]}
    last = max((at for at, cell in enumerate(cells, 1) if cell["id"] in done), default=0)
    button = nbformat.v4.new_code_cell("import flownb\n\nflownb.Continue()", id=CONTINUE)
    cells.insert(last, button)
    cells.insert(0, nbformat.v4.new_markdown_cell(_introduction(execution, left_by), id=INTRODUCTION))
    return notebook


def _introduction(execution: Execution, left_by: str) -> str:
    after = f"as step `{left_by}` left them" if left_by else "as it began"
    return (
        f"**Opened: execution `{execution.id}`** of `{execution.workflow}`, which is {execution.status}. The kernel of "
        f"this notebook has the execution's variables {after}. Look around, compute, put a variable right: the "
        "execution itself does not change. `pd.continue_()` lets it go on from the variables as they are here then; "
        "`pd.continue_(replay=True)` starts a new execution from them instead. Cells that you add are your own: they "
        "are no part of the workflow."
    )


def write_new(folder: Path, stem: str, notebook: Json) -> Path:
    """Write a notebook to a file that was not there before; raises ``OSError``."""
    folder.mkdir(parents=True, exist_ok=True)
    written = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    for number in count(1):
        file = folder / (f"{stem}-{number}.ipynb" if number > 1 else f"{stem}.ipynb")
        try:
            with file.open("x", encoding="utf-8", errors="replace") as opened:
                file.chmod(0o600)
                opened.write(written)
        except FileExistsError:
            continue
        return file
    raise AssertionError("there is a free number")


def edited(file: Path, pinned: Workflow) -> Workflow:
    """The workflow in an opened notebook, as it was saved last: its own cells, without those that a person added.

    Raises ``NotebookError``.
    """
    try:
        content = strip(nbformat.reader.reads(file.read_text("utf-8")))
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise NotebookError(f"the opened notebook {file.name} cannot be read: {error}") from None
    own = {cell["id"] for cell in pinned.content["cells"]}
    cells = [cell for cell in content["cells"] if cell["id"] in own]
    for cell in cells:
        cell["metadata"] = {name: value for name, value in cell["metadata"].items() if name not in OF_THE_RECORD}
    return workflow({**pinned.content, "cells": cells})
