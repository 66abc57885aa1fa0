"""Cells that define ``handler(x)``: called with ``pd`` at the end of their cell."""

from __future__ import annotations

import ast
import inspect
import warnings
from collections.abc import Callable

from flownb.kernel.cells import running
from flownb.kernel.pd import pd
from flownb.kernel.step import SetupCell

_CALL = "await __flownb_call__(handler)\n"


def add_call(lines: list[str]) -> list[str]:
    """An IPython input transformer: the call goes to the end of a cell that defines a handler at its top level.

    Text rather than syntax tree, because IPython looks for ``await`` in the text. Keeps no state: ipykernel
    transforms a cell more than once.
    """
    source = "".join(lines)
    if "handler" not in source or not _defines_handler(source):
        return lines
    return [*lines, "\n", _CALL]


async def call(handler: Callable[..., object]) -> object:
    """Calls ``handler``, awaits what it returns where that can be awaited, and gives the value to display.

    Raises what the handler raises, and ``InvalidValue`` where the value is not JSON. A setup cell's handler is not
    called: such a cell is no step.
    """
    __tracebackhide__ = True  # the author's own code is what a traceback should show
    cell = running()
    if isinstance(cell, SetupCell):
        return None
    value = handler(pd)
    if inspect.isawaitable(value):
        value = await value
    return cell.returned(value)


def _defines_handler(source: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # IPython parses the cell once more and warns then
            module = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == "handler" and _takes_one(node.args)
        for node in module.body
    )


def _takes_one(arguments: ast.arguments) -> bool:
    positional = len(arguments.posonlyargs) + len(arguments.args)
    return positional >= 1 and positional - len(arguments.defaults) <= 1 and None not in arguments.kw_defaults
