"""The notebook being written: as its file has it, with what was run since."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from itertools import count
from pathlib import Path
from typing import Any, Literal

from flownb.core.errors import InvalidValue, NotebookError
from flownb.core.notebook import Workflow, stripped, workflow
from flownb.core.settings import Input, settings

Role = Literal["step", "setup", "skip", "new"]


class Notebook:
    """Knows which step a cell is. Cells are recognised by their id, else by their source.

    ``file`` is None for a notebook that was never saved: it then consists of the cells that were run.
    """

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self._read_at = 0
        self._cells: list[dict[str, Any]] = []
        self._metadata: dict[str, Any] = {}

    def role(self, source: str, cell_id: str | None) -> Role:
        """What the cell is in the workflow; ``new`` where the notebook does not know it."""
        self._read()
        place = _place(self._cells, source, cell_id)
        if place is None:
            return "new"
        tags = self._cells[place]["metadata"].get("tags", ())
        return "skip" if "skip" in tags else "setup" if "setup" in tags else "step"

    def step(self, source: str, cell_id: str | None, before: str | None) -> tuple[Workflow, int]:
        """The workflow with this source in place of the cell's, and which of its steps the cell is.

        A new cell is put before the cell with the id ``before``, or last. Raises ``NotebookError`` where the notebook
        can be no workflow like that.
        """
        cells = deepcopy(self._cells)
        place = _place(cells, source, cell_id)
        if place is None:
            ids = [cell["id"] for cell in cells]
            place = ids.index(before) if before in ids else len(ids)
            cells.insert(place, _new(source, cell_id or _unused(ids)))
        cells[place]["source"] = source
        made = workflow({"cells": cells, "metadata": self._metadata, "nbformat": 4, "nbformat_minor": 5})
        self._cells = cells
        return made, [step.cell_id for step in made.steps].index(cells[place]["id"])

    def inputs(self) -> Mapping[str, Input]:
        """What the settings declare; nothing where they cannot be read, which the steps then say."""
        self._read()
        try:
            return settings(self._metadata.get("flownb") or {}).inputs
        except InvalidValue:
            return {}

    def _read(self) -> None:
        """Once the file has changed, it is what counts, whatever was run since it was saved before."""
        if self.file is None:
            return
        try:
            written_at = self.file.stat().st_mtime_ns
            if written_at == self._read_at:
                return
            content = stripped(self.file.read_text("utf-8"))
        except (
            OSError,
            ValueError,
            NotebookError,
        ):  # being written, or moved: what is known still counts
            return
        self._read_at, self._cells, self._metadata = written_at, content["cells"], content["metadata"]


def _place(cells: list[dict[str, Any]], source: str, cell_id: str | None) -> int | None:
    code = [(place, cell) for place, cell in enumerate(cells) if cell["cell_type"] == "code"]
    same = [place for place, cell in code if cell["id"] == cell_id]
    same = same or [place for place, cell in code if cell["source"] == source]
    return same[0] if same else None


def _new(source: str, cell_id: str) -> dict[str, Any]:
    place: dict[str, Any] = {"cell_type": "code", "id": cell_id, "metadata": {}}
    return {**place, "source": source, "outputs": [], "execution_count": None}


def _unused(ids: list[str]) -> str:
    return next(name for place in count(1) if (name := f"by-hand-{place}") not in ids)
