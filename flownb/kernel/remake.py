"""What a snapshot calls when it is read. Snapshots refer to these functions by name: renaming one breaks them."""

from __future__ import annotations

import builtins
import functools
import importlib
import sys
from collections.abc import Callable
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

from flownb.kernel import origins
from flownb.kernel.ipython import shell
from flownb.kernel.lost import Loss, Lost

_ATTRIBUTES = (
    "__annotate__" if sys.version_info >= (3, 14) else "__annotations__",
    "__defaults__",
    "__doc__",
    "__kwdefaults__",
    "__module__",
    "__qualname__",
    "__type_params__",
)


ARGUMENTS = {"__getnewargs__", "__getnewargs_ex__"}
"""Methods that say what ``__new__`` is to be given."""

_own = staticmethod(object)  # what ``__new__`` is where Python code defines it


def namespace() -> dict[str, Any]:
    """The author's live namespace. Every snapshot begins with it, as the first entry of its memo."""
    live: dict[str, Any] = shell().user_ns
    return live


def built_in_names() -> dict[str, Any]:
    """The names that are built in: the second entry. Whatever runs code gets them into its globals."""
    return vars(builtins)


def lost(loss: Loss) -> object:
    """What a setup cell of this kernel made under the name of the lost variable; else a placeholder."""
    return namespace()[loss.variable] if loss.whole and origins.is_set_up(loss.variable) else Lost(loss)


def native(kind: type) -> Any:
    """The base of ``kind`` whose ``__new__`` is not written in Python."""
    return next(each for each in kind.__mro__ if not isinstance(vars(each).get("__new__", _own), staticmethod))


def maker(kind: type) -> Any:
    """The base whose ``__new__`` takes what pickle keeps for it: the one that says what to keep, or the native one."""
    return next((each for each in kind.__mro__ if vars(each).keys() & ARGUMENTS), None) or native(kind)


def make_object(kind: type, *arguments: object) -> object:
    """An object before its state is put in, made without a ``__new__`` that asks for more than was kept."""
    return maker(kind).__new__(kind, *arguments)


def fill_object(obj: object, state: Any) -> None:
    """Puts in what ``object.__getstate__`` gave, without asking the object for anything."""
    attributes, slots = state if isinstance(state, tuple) else (state, None)
    if attributes:
        object.__getattribute__(obj, "__dict__").update(attributes)
    for name, value in (slots or {}).items():
        object.__setattr__(obj, name, value)


def function_state(function: FunctionType) -> dict[str, Any]:
    """What ``make_function`` leaves out: it may refer back to the function."""
    attributes = {name: getattr(function, name) for name in _ATTRIBUTES if hasattr(function, name)}
    return {"attributes": attributes, "dict": function.__dict__}


def make_function(
    code: CodeType, home: dict[str, Any] | ModuleType | str, name: str, closure: tuple[CellType, ...] | None
) -> FunctionType:
    """A function whose globals are the dict ``home``, or those of a module, or of the module of that name."""
    if isinstance(home, str):
        home = importlib.import_module(home)
    return FunctionType(code, vars(home) if isinstance(home, ModuleType) else home, name, None, closure)


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


def import_package(name: str, parts: list[str]) -> ModuleType:
    """A package with those of its modules that cells had imported by ``import name.part``."""
    for part in parts:
        origins.note_imports(f"import {part}")
        importlib.import_module(part)
    return importlib.import_module(name)


def make_module(name: str, known: bool) -> ModuleType:
    """A module that a cell made; ``known`` where it is to be found by ``import``."""
    module = ModuleType(name)
    if known:
        sys.modules[name] = module
    return module


def fill_module(module: ModuleType, contents: dict[str, Any]) -> None:
    """The second half of ``make_module``."""
    vars(module).update(contents)
