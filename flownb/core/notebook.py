"""A notebook as a workflow: its steps, its setup cells, its settings and the hash that names its version."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import nbformat

from flownb.core.directives import directives, policy
from flownb.core.errors import InvalidValue, NotebookError
from flownb.core.jsonvalue import dumps, to_json
from flownb.core.model import Execution, Json, Policy, Step
from flownb.core.settings import Settings, settings
from flownb.core.settings_schema import WORKFLOW_NAME

RESERVED = "trigger"
LONGEST_NAME = 100


@dataclass(frozen=True)
class Cell:
    """A code cell that flownb runs: a step, or a setup cell where ``policy`` is of no use."""

    name: str
    cell_id: str
    source: str
    tags: tuple[str, ...]
    policy: Policy

    @property
    def takes_parameters(self) -> bool:
        return "parameters" in self.tags


@dataclass(frozen=True)
class Workflow:
    """What a version of a notebook says; ``content`` is the notebook without outputs, as nbformat 4 JSON."""

    version: str
    kernelspec: str
    settings: Settings
    steps: tuple[Cell, ...]
    setup: tuple[Cell, ...]
    content: Json


def read(text: str) -> Workflow:
    """The workflow in the text of an ``.ipynb`` file.

    Raises ``NotebookError``, naming the cell, for what can be no workflow: broken JSON, no step, a name twice,
    a bad directive, a kernel that is not Python.
    """
    return workflow(stripped(text))


def stripped(text: str) -> dict[str, Any]:
    """The notebook in a text, as ``strip`` leaves it; raises ``NotebookError`` where there is none."""
    try:
        notebook = nbformat.convert(nbformat.reader.reads(text), 4)
        content = strip(notebook)
        nbformat.validate(content)
    except nbformat.ValidationError as error:
        raise NotebookError(f"not a valid notebook: {_place(error)}{str(error).splitlines()[0]}") from None
    except KeyError as error:
        raise NotebookError(f"not a notebook: it lacks {error}") from None
    except Exception as error:  # nbformat lets through whatever its JSON and its converters raise
        raise NotebookError(f"not a notebook: {error.__cause__ or error}") from None
    return content


def strip(notebook: Any) -> dict[str, Any]:
    """A plain copy without outputs, in which every cell has an id of its own; raises ``InvalidValue`` for NaN."""
    content = nbformat.from_dict(notebook)
    given = {cell.get("id") for cell in content["cells"]}
    new = (name for place in count(1) if (name := f"flownb-{place}") not in given)
    taken: set[str] = set()
    for cell in content["cells"]:
        if cell.get("id") in taken or "id" not in cell:
            cell["id"] = next(new)
        taken.add(cell["id"])
        if cell["cell_type"] == "code":
            cell["outputs"] = []
            cell["execution_count"] = None
    content["nbformat_minor"] = max(5, content["nbformat_minor"])
    plain = to_json(content, "notebook")
    assert isinstance(plain, dict)
    return plain


def _place(error: nbformat.ValidationError) -> str:
    """Which cell a complaint of nbformat is about."""
    path = list(error.absolute_path)
    return f"cell {int(path[1]) + 1}: " if len(path) > 1 and path[0] == "cells" else ""


def workflow(content: Mapping[str, Any]) -> Workflow:
    """The workflow in a stripped notebook; raises ``NotebookError``."""
    metadata = content["metadata"]
    said = _located("the notebook's settings (metadata.flownb)", settings, _settings(metadata))
    steps, setup = _cells(content["cells"], said.policy)
    if not steps:
        raise NotebookError("the notebook has no step: every code cell is blank or tagged `skip` or `setup`")
    return Workflow(
        version=_version(content),
        kernelspec=_kernelspec(metadata),
        settings=said,
        steps=steps,
        setup=setup,
        content=content,
    )


def demand_name(name: str) -> str:
    """The name, where a workflow can be deployed under it; raises ``InvalidValue``."""
    if not re.fullmatch(WORKFLOW_NAME, name):
        raise InvalidValue(f"a workflow's name is letters, digits and `._-`, at most 100, got {name!r}")
    return name


def fresh(of: Workflow, id: str, name: str, notebook: str, trigger: Json, now: int) -> Execution:
    """A new execution of a workflow, not on disk yet; ``notebook`` is the path of its file."""
    return Execution(
        id=id,
        workflow=name,
        notebook=notebook,
        version=of.version,
        trigger=trigger,
        created_at=now,
        steps=tuple(Step(cell.name, cell.cell_id, cell.policy) for cell in of.steps),
    )


def _cells(cells: list[Any], defaults: Policy) -> tuple[tuple[Cell, ...], tuple[Cell, ...]]:
    steps: list[Cell] = []
    setup: list[Cell] = []
    places: dict[str, int] = {}
    for place, cell in _code(cells):
        where = f"cell {place}"
        if "setup" in _tags(cell):
            setup.append(Cell(f"setup_{len(setup) + 1}", cell["id"], cell["source"], _tags(cell), Policy()))
            continue
        found = _located(where, directives, cell["source"])
        name = _name(cell, found, f"step_{len(steps) + 1}", where)
        if name in places:
            raise NotebookError(f"{where}: the step name {name!r} is taken by cell {places[name]}: names are unique")
        places[name] = place
        rules = _located(f"{where} ({name!r})", policy, found, defaults)
        steps.append(Cell(name, cell["id"], cell["source"], _tags(cell), rules))
    return tuple(steps), tuple(setup)


def _code(cells: list[Any]) -> Iterator[tuple[int, Any]]:
    """The code cells that count, with their places among all cells from 1."""
    for place, cell in enumerate(cells, 1):
        if cell["cell_type"] == "code" and cell["source"].strip() and "skip" not in _tags(cell):
            yield place, cell


def _tags(cell: Any) -> tuple[str, ...]:
    return tuple(cell["metadata"].get("tags", ()))


def _name(cell: Any, found: Mapping[str, object], default: str, where: str) -> str:
    name = cell["metadata"].get("name", found.get("step", default))
    if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= LONGEST_NAME or name[0] in " $":
        raise NotebookError(f"{where}: a step name is one line of text without `$` in front, got {name!r}")
    if name == RESERVED:
        raise NotebookError(f"{where}: the step name {name!r} is reserved for what started the execution")
    return name


def _settings(metadata: Mapping[str, Any]) -> Mapping[str, object]:
    said = metadata.get("flownb", {})
    if not isinstance(said, dict):
        raise NotebookError(f"the notebook's settings (metadata.flownb) are a mapping, got {said!r}")
    _located("the notebook's settings", to_json, said, "metadata.flownb")
    return said


def _kernelspec(metadata: Mapping[str, Any]) -> str:
    spec = metadata.get("kernelspec", {})
    language = str(spec.get("language") or metadata.get("language_info", {}).get("name") or "python")
    if language.lower() not in ("python", "ipython", "python3"):
        raise NotebookError(f"the notebook's kernelspec {spec.get('name', '?')!r} is for {language}: steps are Python")
    return str(spec.get("name") or "python3")


def _version(content: Mapping[str, Any]) -> str:
    """A hash of what an execution depends on: sources, names, tags, kernelspec and settings, not outputs."""
    cells = [
        [cell["cell_type"], cell["source"], cell["metadata"].get("name"), list(_tags(cell))]
        for cell in content["cells"]
    ]
    metadata = content["metadata"]
    said = dumps([cells, _kernelspec(metadata), metadata.get("flownb", {})])
    return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()


def _located(where: str, rule: Any, *arguments: Any) -> Any:
    """The result of ``rule``, with its complaints placed."""
    try:
        return rule(*arguments)
    except InvalidValue as error:
        raise NotebookError(f"{where}: {error}") from None
