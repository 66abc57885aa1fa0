"""What is wrong with a notebook as a workflow, found without running it."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Literal

from flownb.core.bindings import Binding, Use, names
from flownb.core.carry import uncarried
from flownb.core.errors import NotebookError
from flownb.core.inputs import revealed
from flownb.core.notebook import Cell, Workflow, read
from flownb.core.settings import NAMES

Level = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """Something to put right; ``cell`` counts all cells from 1, None stands for the notebook as a whole.

    A notebook with an ``error`` is refused, or fails when it gets there; a ``warning`` can be lived with.
    """

    cell: int | None
    step: str | None
    level: Level
    message: str


def findings(text: str, kernelspecs: Collection[str] | None = None) -> list[Finding]:
    """All that is wrong with the text of an ``.ipynb`` file, in the order of its cells.

    ``kernelspecs`` are those that there are here; None leaves them out of it.
    """
    try:
        workflow = read(text)
    except NotebookError as error:
        return [Finding(None, None, "error", str(error))]
    return of_workflow(workflow, kernelspecs)


def of_workflow(workflow: Workflow, kernelspecs: Collection[str] | None = None) -> list[Finding]:
    """As ``findings``, of a notebook that could be read."""
    found = [*_of_the_whole(workflow, kernelspecs), *_of_cells(workflow)]
    return sorted(found, key=lambda finding: finding.cell or 0)


def placed(finding: Finding) -> str:
    """A finding in one line, with its cell."""
    place = f"cell {finding.cell}" + (f" ({finding.step})" if finding.step else "") if finding.cell else ""
    return f"{place}: {finding.message}" if place else finding.message


def _of_the_whole(workflow: Workflow, kernelspecs: Collection[str] | None) -> Iterator[Finding]:
    for key in workflow.settings.unknown:
        message = f"metadata.flownb has the unknown setting {key!r}: there is {', '.join(NAMES)}"
        yield Finding(None, None, "warning", message)
    for message in revealed(workflow.settings.inputs):
        yield Finding(None, None, "warning", message)
    if kernelspecs is not None and workflow.kernelspec not in kernelspecs:
        there = ", ".join(sorted(kernelspecs)) or "none"
        yield Finding(None, None, "error", f"there is no kernelspec {workflow.kernelspec!r} here, there is {there}")


def _of_cells(workflow: Workflow) -> Iterator[Finding]:
    """In the order in which they run: what a setup cell binds is bound for all."""
    places = {cell["id"]: place for place, cell in enumerate(workflow.content["cells"], 1)}
    setup = {cell.cell_id for cell in workflow.setup}
    trees: dict[str, ast.Module] = {}
    bound: tuple[Binding, int] | None = None
    for cell in (*workflow.setup, *workflow.steps):
        place = places[cell.cell_id]
        step = None if cell.cell_id in setup else cell.name
        try:
            tree = parsed(cell)
        except _UNREADABLE as error:
            yield Finding(place, step, "error", _said(error))
            continue
        try:
            known = names(tree)
            ast.unparse(tree)  # as deep as the rest goes
        except RecursionError:
            yield Finding(place, step, "warning", "too deeply nested to be checked")
            continue
        trees[cell.cell_id] = tree
        for found in known:
            if isinstance(found, Binding):
                bound = None if found.right else (found, place)
            elif bound is not None:
                yield Finding(place, step, "error", _rebound(found, *bound))
            elif step is None and found.attribute == "flow" and found.at_once:
                yield Finding(place, None, "error", f"line {found.line}: a cell tagged `setup` may not call pd.flow")
    for warned in uncarried(workflow, trees):
        yield Finding(places[warned.cell.cell_id], warned.cell.name, "warning", warned.message)


_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


def parsed(cell: Cell) -> ast.Module:
    """The syntax tree of a cell, magics and top-level ``await`` included; raises ``SyntaxError`` or ``ValueError``."""
    from IPython.core.inputtransformer2 import TransformerManager

    transformed = TransformerManager().transform_cell(cell.source)  # type: ignore[no-untyped-call]
    blank = takewhile(lambda line: not line.strip(), cell.source.splitlines())  # which IPython drops
    source = "\n" * sum(1 for _ in blank) + transformed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the kernel gives them when the cell runs
        compile(source, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        return ast.parse(source)


def _said(error: Any) -> str:
    line = f"line {error.lineno}: " if isinstance(error, SyntaxError) and error.lineno else ""
    return f"{line}{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else error}"


def _rebound(use: Use, binding: Binding, place: int) -> str:
    if use.attribute == "flow":
        remedy = "`from flownb import flow` and `flow...`, or a `handler(pd)`"
    else:
        remedy = f"`import flownb` and `flownb.pd.{use.attribute}`, or a `handler(pd)`"
    return f"line {use.line}: pd.{use.attribute} is not flownb's: cell {place} binds pd ({binding.how}); use {remedy}"
