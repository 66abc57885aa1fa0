"""The cell tagged ``parameters``: names it assigns take their value from the trigger's body, where that has them."""

from __future__ import annotations

import ast
import json

from flownb.kernel.cells import running
from flownb.kernel.step import Step


class Parameters(ast.NodeTransformer):
    """An IPython syntax tree transformer: after each top-level assignment of a parameter follows one of its value.

    Right behind, not at the end, so that later lines of the same cell see the value.
    """

    def visit(self, node: ast.AST) -> ast.AST:
        cell = running()
        if isinstance(cell, Step) and cell.parameters and isinstance(node, ast.Module):
            # Taken once: magics such as %time send the trees of their own code through here as well.
            given, cell.parameters = cell.parameters, {}
            node.body = [each for statement in node.body for each in (statement, *_override(statement, given))]
        return node


def _override(statement: ast.stmt, given: dict[str, object]) -> list[ast.stmt]:
    names = dict.fromkeys(name for name in _assigned(statement) if name in given)
    added = [_assignment(name, given[name]) for name in names]
    for new in added:
        for node in ast.walk(new):
            ast.copy_location(node, statement)
    return added


def _assigned(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign):
        targets = [statement.target]
    else:
        return []
    nodes = (node for target in targets for node in ast.walk(target))
    return [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]


def _assignment(name: str, value: object) -> ast.stmt:
    # Through JSON text, since a syntax tree holds no lists or dicts, and each assignment gets a copy of its own.
    return ast.parse(f"{name} = __import__('json').loads({json.dumps(value)!r})").body[0]
