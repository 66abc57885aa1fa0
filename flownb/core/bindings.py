"""Where a cell binds the name ``pd``, and where it uses what flownb's ``pd`` has, in the order of execution."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

NAME = "pd"
ATTRIBUTES = ("flow", "export", "steps", "context")

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(frozen=True)
class Binding:
    """``pd`` gets a meaning by the code ``how``; ``right`` where that is flownb's own."""

    how: str
    right: bool


@dataclass(frozen=True)
class Use:
    """``pd.attribute`` in a line; ``at_once`` when the cell runs, else when a function of it is called."""

    attribute: str
    line: int
    at_once: bool


def names(tree: ast.Module) -> list[Binding | Use]:
    """Bindings and uses of the global ``pd``. Those in functions come last: they are called later."""
    scope = _Scope(tree.body, at_once=True)
    found = scope.found
    functions = scope.functions
    while functions:
        function = functions.pop(0)
        body = [function.body] if isinstance(function, ast.Lambda) else function.body
        scope = _Scope(body, at_once=False)
        if not _is_local(function.args, scope):
            found += scope.found
            functions += scope.functions
    return found


def _is_local(arguments: ast.arguments, scope: _Scope) -> bool:
    """Whether ``pd`` is a function's own, or one that it hands to the functions in it."""
    if any(isinstance(node, ast.arg) and node.arg == NAME for node in ast.walk(arguments)):
        return True
    return not scope.is_global and any(isinstance(found, Binding) for found in scope.found)


class _Scope(ast.NodeVisitor):
    """What happens to ``pd`` in one scope; the functions in it are left for later."""

    def __init__(self, body: Sequence[ast.AST], at_once: bool) -> None:
        self.found: list[Binding | Use] = []
        self.functions: list[_Function] = []
        self.is_global = False
        self._at_once = at_once
        self._statement: ast.AST = ast.Pass()
        for node in body:
            self.visit(node)

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.stmt):
            self._statement = node
        super().visit(node)
        if NAME in (getattr(node, "name", None), getattr(node, "rest", None)) and not isinstance(node, ast.alias):
            self._bind()  # functions, classes, `except ... as pd`, patterns of `match`

    def visit_Name(self, node: ast.Name) -> None:
        if node.id == NAME and not isinstance(node.ctx, ast.Load):
            self._bind()

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.value, ast.Name) and node.value.id == NAME and node.attr in ATTRIBUTES:
            self.found.append(Use(node.attr, node.lineno, self._at_once))
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        if ast.unparse(node) == f"{NAME} = flownb.{NAME}":
            self._bind(right=True)
            return
        for target in node.targets:
            self.visit(target)

    def visit_Import(self, node: ast.Import) -> None:
        if any((alias.asname or alias.name.partition(".")[0]) == NAME for alias in node.names):
            self._bind()

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if (alias.asname or alias.name) == NAME:
                self._bind(right=node.module == "flownb" and alias.name == NAME)

    def visit_Global(self, node: ast.Global) -> None:
        self.is_global = self.is_global or NAME in node.names

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for part in (*node.decorator_list, node.args):
            self.visit(part)
        self.functions.append(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.visit(node.args)
        self.functions.append(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(part)
        self._inner(node.body)

    def visit_ListComp(self, node: _Comprehension) -> None:
        self._inner(list(ast.iter_child_nodes(node)))

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp

    def _inner(self, body: Sequence[ast.AST]) -> None:
        """A class or comprehension: runs with the rest, and what it binds is its own."""
        inner = _Scope(body, self._at_once)
        if not any(isinstance(found, Binding) for found in inner.found):
            self.found += inner.found
            self.functions += inner.functions

    def _bind(self, right: bool = False) -> None:
        self.found.append(Binding(ast.unparse(self._statement).partition("\n")[0], right))
