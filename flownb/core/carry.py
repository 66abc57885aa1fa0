"""What a notebook holds that cannot be carried over its pauses, found without running it.

No false alarm is wanted: only what is made at the top level of a step, in a way that the text tells, and used after a
pause before it is made again.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from flownb.core.model import Policy
from flownb.core.notebook import Cell, Workflow
from flownb.core.scope import Bound, Names, Run

ENDS = {"suspend", "delay", "wait"}
"""Pauses after which the next step runs; after the others the same one does."""


@dataclass(frozen=True)
class Warned:
    """What is amiss, in a step's cell."""

    cell: Cell
    message: str


def uncarried(workflow: Workflow, trees: Mapping[str, ast.Module]) -> Iterator[Warned]:
    """All of it; ``trees`` are the cells that can be parsed, by their ids."""
    runs = _Runs(workflow, trees)
    cells = {cell.cell_id: cell for cell in workflow.steps}
    for thing, user in runs.missed.values():
        message = (
            f"line {thing.line}: `{thing.name}` ({thing.path}) is not carried over {thing.lost} and is used in step "
            f"{user!r}: make it in a cell tagged `setup`, or anew where it is used"
        )
        yield Warned(cells[thing.cell], message)
    for step in workflow.steps:
        if not step.policy.checkpoint and runs.pauses.get(step.cell_id):
            yield Warned(step, "no checkpoint: after a pause that outlives its kernel the execution fails")
    for step, following in pairwise(workflow.steps):
        if not step.policy.checkpoint and _is_retried(following.policy):
            yield Warned(step, f"no checkpoint: at a retry of step {following.name!r} the execution fails")


class _Runs:
    """The steps run one after the other, those twice that a pause may begin again."""

    def __init__(self, workflow: Workflow, trees: Mapping[str, ast.Module]) -> None:
        self.missed: dict[Bound, tuple[Bound, str]] = {}  # each as it was, as it is lost, and the step that uses it
        self.pauses: dict[str, set[str]] = {}
        self._names: Names = {}
        for cell in workflow.setup:
            if cell.cell_id in trees:
                self._names = Run(trees[cell.cell_id], cell.cell_id, self._names).names
        self._set_up = set(self._names)
        for cell in workflow.steps:
            if _is_retried(cell.policy):
                self._lose(f"a retry of step {cell.name!r}")
            if cell.cell_id in trees:
                self._step(cell, trees[cell.cell_id])

    def _step(self, cell: Cell, tree: ast.Module) -> None:
        pauses = self.pauses[cell.cell_id] = self._run(cell, tree)
        pause = f"the pause in step {cell.name!r}"
        if pauses - ENDS:
            self._lose(pause)
            self._run(cell, tree)
        if pauses & ENDS:
            self._lose(pause)

    def _run(self, cell: Cell, tree: ast.Module) -> set[str]:
        run = Run(tree, cell.cell_id, self._names)
        self._names = run.names
        for thing in run.missed:
            self.missed.setdefault(replace(thing, lost=""), (thing, cell.name))
        return run.pauses

    def _lose(self, when: str) -> None:
        """But what a setup cell makes under the same name stands in for what is lost."""
        for name, thing in self._names.items():
            if isinstance(thing, Bound) and not thing.lost and thing.name not in self._set_up:
                self._names[name] = replace(thing, lost=when)


def _is_retried(policy: Policy) -> bool:
    return policy.retry is not None and policy.retry.max > 0
