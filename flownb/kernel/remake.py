"""What a snapshot calls when it is read. Snapshots refer to these functions by name: renaming one breaks them."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable
from types import CellType, CodeType, FunctionType
from typing import Any

from flownb.kernel.ipython import shell

_ATTRIBUTES = (
    "__annotate__" if sys.version_info >= (3, 14) else "__annotations__",
    "__defaults__",
    "__doc__",
    "__kwdefaults__",
    "__module__",
    "__qualname__",
    "__type_params__",
)


def namespace() -> dict[str, Any]:
    """The author's live namespace. Every snapshot begins with it, as the first entry of its memo."""
    live: dict[str, Any] = shell().user_ns
    return live


def function_state(function: FunctionType) -> dict[str, Any]:
    """What ``make_function`` leaves out: it may refer back to the function."""
    attributes = {name: getattr(function, name) for name in _ATTRIBUTES if hasattr(function, name)}
    return {"attributes": attributes, "dict": function.__dict__}


def make_function(
    code: CodeType, home: dict[str, Any] | str, name: str, closure: tuple[CellType, ...] | None
) -> FunctionType:
    """A function whose globals are the dict ``home``, or those of the module of that name."""
    return FunctionType(
        code, vars(importlib.import_module(home)) if isinstance(home, str) else home, name, None, closure
    )


def fill_function(function: FunctionType, state: dict[str, Any]) -> None:
    """The second half of ``make_function``."""
    for name, value in state["attributes"].items():
        setattr(function, name, value)
    function.__dict__.update(state["dict"])


def cell_state(cell: CellType) -> object:
    """The value in a cell, wrapped so that an empty one differs from one that holds None."""
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()


def fill_cell(cell: CellType, contents: tuple[object, ...]) -> None:
    """The second half of making a cell, so that functions which share it, or refer to themselves, find it made."""
    if contents:
        cell.cell_contents = contents[0]


def make_cached(function: Callable[..., object], maxsize: int | None, typed: bool) -> Callable[..., object]:
    """An ``lru_cache``d function, its cache empty."""
    return functools.lru_cache(maxsize, typed)(function)
