"""What the names of a notebook stand for, statement by statement, as far as its text tells."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flownb.core.process_bound import MAKES_IT, MAKES_SEVERAL

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp

PAUSE = re.compile(r"(?:.*\W)?flow\.(suspend|delay|rerun|retry)")
"""How a call that asks for a pause is reached, whatever ``pd`` is called."""


@dataclass(frozen=True)
class Thing:
    """Something that came about by ``path``, the full name of what is imported, or called, for it."""

    path: str


@dataclass(frozen=True)
class Bound(Thing):
    """It lives in one process only; bound to ``name`` in a line of a cell. ``lost`` says after what, if it is."""

    name: str
    cell: str
    line: int
    lost: str = ""


@dataclass(frozen=True)
class Code:
    """A function or class: the global names it uses and binds, the pauses it asks for, and what a call makes of it."""

    uses: frozenset[str]
    binds: frozenset[str]
    pauses: frozenset[str]
    makes: str


Names = dict[str, Thing | Code | None]
"""What each name stands for; None where the text does not tell."""


class Run(ast.NodeVisitor):
    """One run of a cell: ``names`` as they are after it, ``pauses`` asked for, and what was ``missed``, being lost."""

    def __init__(self, tree: ast.Module, cell: str, before: Names) -> None:
        self.names = dict(before)
        self.pauses: set[str] = set()
        self.missed: list[Bound] = []
        self._cell = cell
        self.generic_visit(tree)
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        if any(function.name == "handler" for function in functions):
            self._use("handler")

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._use(node.id)
        else:
            self.names[node.id] = None

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if pause := PAUSE.fullmatch(self._path(node)):
            self.pauses.add(pause[1])
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self._bind(target, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self._bind(node.target, node.value)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self._bind(node.target, node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            self._use(node.target.id)
        self.visit(node.target)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            first = alias.name.partition(".")[0]
            self.names[alias.asname or first] = Thing(alias.name if alias.asname else first)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            self.names[alias.asname or alias.name] = Thing(f"{node.module}.{alias.name}") if not node.level else None

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            self.visit(decorator)
        self.names[node.name] = self._code(node)

    visit_AsyncFunctionDef = visit_ClassDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda | _Comprehension | ast.GeneratorExp) -> None:
        """What runs here and now, for all that the text tells, with names of its own."""
        code = self._code(node)
        self.pauses |= code.pauses
        for name in code.uses:
            self._use(name)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_Lambda

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self._branches(node.body, node.orelse)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self._branches([node.target, *node.body], [])
        self._follow(node.orelse)

    visit_AsyncFor = visit_For

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        self._branches(node.body, [])
        self._follow(node.orelse)

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        self._follow(node.body)
        self._branches(node.orelse, *(handler.body for handler in node.handlers))
        self._follow(node.finalbody)

    visit_TryStar = visit_Try

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        self._branches(*(case.body for case in node.cases), [])

    def _follow(self, body: Iterable[ast.AST]) -> None:
        for node in body:
            self.visit(node)

    def _branches(self, *bodies: Sequence[ast.AST]) -> None:
        """One of these runs: a name may stand for what any of them made of it."""
        before, ends = self.names, list[Names]()
        for body in bodies:
            self.names = dict(before)
            self._follow(body)
            ends.append(self.names)
        self.names = {name: _worst(end.get(name) for end in ends) for name in {name for end in ends for name in end}}

    def _use(self, name: str) -> None:
        """With all that functions of the notebook use in their turn."""
        reached: set[str] = set()
        bound: set[str] = set()
        todo = {name}
        while todo:
            reached |= todo
            found = [self.names.get(each) for each in todo]
            todo = set()
            for each in found:
                if isinstance(each, Code):
                    self.pauses |= each.pauses
                    bound |= each.binds
                    todo |= each.uses - reached
                elif isinstance(each, Bound) and each.lost:
                    self.missed.append(each)
        self.names |= dict.fromkeys(bound)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.names[target.id] = self._meaning(value, target)
        elif not isinstance(target, ast.Tuple | ast.List):
            self.visit(target)
        elif isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
            for one, its in zip(target.elts, value.elts, strict=True):
                self._bind(one, its)
        elif isinstance(value, ast.Call | ast.Await) and MAKES_SEVERAL.fullmatch(self._path(value)):
            for one in target.elts:
                self._bind(one, value)
        else:
            self.visit(target)

    def _meaning(self, value: ast.expr, target: ast.Name) -> Thing | Code | None:
        """What the value of an expression is."""
        match value:
            case ast.Lambda():
                return self._code(value)
            case ast.Name() if value.id in self.names:
                return self.names[value.id]
            case ast.IfExp():
                return _worst(self._meaning(each, target) for each in (value.body, value.orelse))
            case ast.BoolOp():
                return _worst(self._meaning(each, target) for each in value.values)
            case ast.NamedExpr():
                return self._meaning(value.value, target)
            case ast.GeneratorExp():
                return Bound("a generator expression", target.id, self._cell, target.lineno)
            case ast.Call(func=ast.Name(id=name)) if isinstance(code := self.names.get(name), Code):
                return Bound(f"{code.makes} {name}()", target.id, self._cell, target.lineno) if code.makes else None
        path = self._path(value)
        if isinstance(value, ast.Call | ast.Await) and MAKES_IT.fullmatch(path):
            return Bound(path, target.id, self._cell, target.lineno)
        return None if path.startswith("?") else Thing(path)

    def _path(self, node: ast.AST) -> str:
        """The full name of what an expression names or calls; begins with ``?`` where that is not known."""
        match node:
            case ast.Name(id=name):
                known = self.names.get(name)
                if isinstance(known, Thing):
                    return known.path
                return name if name not in self.names and hasattr(builtins, name) else f"?{name}"
            case ast.Attribute():
                return f"{self._path(node.value)}.{node.attr}"
            case ast.Call():
                return self._path(node.func)
            case ast.Await():
                return f"await {self._path(node.value)}"
        return "?"

    def _code(self, node: _Function | _Comprehension | ast.GeneratorExp) -> Code:
        nodes = list(ast.walk(node))
        shared = {name for each in nodes if isinstance(each, ast.Global) for name in each.names}
        own = {each.arg for each in nodes if isinstance(each, ast.arg)}
        own |= {each.id for each in nodes if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load)}
        uses = {each.id for each in nodes if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}
        paths = (self._path(each) for each in nodes if isinstance(each, ast.Attribute))
        pauses = frozenset(found[1] for path in paths if (found := PAUSE.fullmatch(path)))
        return Code(frozenset(uses - (own - shared)), frozenset(shared), pauses, _made_by_calling(node))


def _made_by_calling(node: ast.AST) -> str:
    """What a call makes that lives in one process only, if it does; a decorator may make it anything."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.decorator_list:
        if any(isinstance(each, ast.Yield | ast.YieldFrom) for each in _own_nodes(node.body)):
            return "the generator"
        if isinstance(node, ast.AsyncFunctionDef):
            return "the coroutine"
    return ""


def _own_nodes(body: Iterable[ast.AST]) -> Iterable[ast.AST]:
    """What a function does itself, without the functions in it."""
    for node in body:
        yield node
        if not isinstance(node, _Function):
            yield from _own_nodes(ast.iter_child_nodes(node))


def _worst(found: Iterable[Thing | Code | None]) -> Thing | Code | None:
    """Of what a name may stand for, what matters most: what is lost, then what would be."""
    return max(found, key=_weight)


def _weight(one: Thing | Code | None) -> int:
    if isinstance(one, Bound):
        return 3 if one.lost else 2
    return int(one is not None)
