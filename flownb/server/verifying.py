"""Verifying: the record against its signatures, and the executed notebook against the record."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any

from flownb.core.model import Execution, Json, Status
from flownb.server.executed import executed_notebook
from flownb.server.recorder import file_stem
from flownb.store import queries
from flownb.store.change import NotFound
from flownb.store.keys import Key
from flownb.store.store import Store
from flownb.store.verify import Head, Report, verify

OURS = ("flownb", "flownb_execution")
"""Metadata that a record is made of; the rest of it JupyterLab may write as it likes."""


async def report(
    store: Store, key: Key, runs: Path | None, execution_id: str, expected: Head | None
) -> dict[str, Json]:
    """What the API says of a record; raises ``NotFound`` or ``StoreError``."""
    found = await store.read(partial(verify, key=key, execution_id=execution_id, expected=expected))
    if found is None:
        raise NotFound(execution_id)
    notebook = await _notebook(store, runs, found)
    return {
        "execution": execution_id,
        "status": found.status,
        "head": str(found.head) if found.head else None,
        "entries": found.entries,
        "unsigned": found.unsigned,
        "unverifiable": found.unverifiable,
        "altered": [vars(one) for one in found.altered],
        "notebook": notebook,
    }


async def _notebook(store: Store, runs: Path | None, found: Report) -> str:
    """How the executed notebook stands to the record: ``sound``, ``altered``, ``missing``, or ``not_compared``."""
    if found.altered:
        return "not_compared"  # with what it should be
    execution = await store.get(found.execution)
    if runs is None or execution.status in (Status.QUEUED, Status.RUNNING):
        return "not_compared"
    file = runs / f"{file_stem(execution)}.ipynb"
    try:
        written = await asyncio.to_thread(file.read_text, "utf-8", errors="replace")
    except FileNotFoundError:
        return "missing"
    differs = await asyncio.to_thread(differences, written, await _record(store, execution, ()))
    if differs and found.beside:  # the file may have been written before these came
        differs = await asyncio.to_thread(differences, written, await _record(store, execution, found.beside))
    for where in differs:
        found.find("runs_dir", f"{file.name}: {where}", "differs from the record")
    return "altered" if differs else "sound"


async def _record(store: Store, execution: Execution, without: Collection[str]) -> Json:
    """The executed notebook, without what these attempts have shown."""
    content = (await store.pinned(execution)).content
    outputs = await store.read(partial(queries.outputs, execution_id=execution.id))
    pauses = await store.read(partial(queries.pauses, execution_id=execution.id))
    shown = [one for one in outputs if one.attempt.id not in without]
    return await asyncio.to_thread(executed_notebook, execution, content, shown, pauses)


def differences(written: str, record: Json) -> list[str]:
    """In which cells, by their ids, a notebook's file differs from the record, in what a mere save leaves alone."""
    try:
        found, wanted = _told(json.loads(written)), _told(json.loads(json.dumps(record)))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ["the file"]
    names = [name for name in wanted if found.get(name) != wanted[name]]
    return names + [name for name in found if name not in wanted]


def _told(notebook: Any) -> dict[str, Any]:
    """What a record says in each cell, and as a whole."""
    cells = {cell["id"]: _cell(cell) for cell in notebook["cells"]}
    return {**cells, "metadata": notebook["metadata"].get("flownb_execution"), "order": list(cells)}


def _cell(cell: Any) -> list[Any]:
    outputs = [{name: _joined(value) for name, value in output.items()} for output in cell.get("outputs", [])]
    return [cell["cell_type"], _joined(cell["source"]), cell["metadata"].get("flownb"), outputs]


def _joined(value: Any) -> Any:
    """Text that a save may cut into lines, in one piece."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return {name: _joined(found) for name, found in value.items()} if isinstance(value, dict) else value
