"""What a snapshot calls to remake classes and exceptions. It does so by name: renaming a function breaks snapshots."""

from __future__ import annotations

import typing
from abc import ABCMeta
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from types import WrapperDescriptorType
from typing import Any

from cloudpickle.cloudpickle import _class_setstate

from flownb.kernel.remake import native


def make_class(metaclass: type, name: str, bases: tuple[type, ...], contents: dict[str, Any]) -> type:
    """A class that a cell defined, without what it holds, and without running the hooks of other classes."""
    maker = ABCMeta if issubclass(metaclass, ABCMeta) else native(metaclass)
    with _without_hook(bases):
        made: type = maker.__new__(metaclass, name, bases, contents)
    return made


@contextmanager
def _without_hook(bases: tuple[type, ...]) -> Iterator[None]:
    """``__init_subclass__`` has run when the class was first made, with arguments that nobody knows any more."""
    hooked = next((each for base in bases for each in base.__mro__ if "__init_subclass__" in vars(each)), object)
    if hooked is object:
        yield
        return
    hook = vars(hooked)["__init_subclass__"]
    hooked.__init_subclass__ = classmethod(lambda cls: None)  # type: ignore[assignment]
    try:
        yield
    finally:
        hooked.__init_subclass__ = hook  # type: ignore[method-assign]


def make_enum(bases: tuple[type, ...], name: str, qualname: str, values: dict[str, Any], module: str) -> type:
    """An enumeration, its members by name; a value that comes again makes an alias."""
    metaclass: Any = type(bases[-1])
    contents = metaclass.__prepare__(name, bases)
    for member, value in values.items():
        contents[member] = value
    contents.update({"__module__": module, "__qualname__": qualname})
    made: type = metaclass.__new__(metaclass, name, bases, contents)
    return made


def fill_enum(cls: type[Enum], state: tuple[Any, dict[str, dict[str, Any]]]) -> None:
    """The second half of ``make_enum``: methods, and attributes of members."""
    contents, own = state
    _class_setstate(cls, contents)
    for name, attributes in own.items():
        vars(cls.__members__[name]).update(attributes)


def make_alias(name: str, value: object, parameters: tuple[Any, ...]) -> object:
    """What ``type name[parameters] = value`` makes."""
    alias: Any = typing.__dict__["TypeAliasType"]  # of Python 3.12
    return alias(name, value, type_params=parameters)


def make_exception(kind: type[BaseException], arguments: tuple[Any, ...]) -> BaseException:
    """An exception of a class whose own ``__init__`` is left out."""
    error: Any = native(kind).__new__(kind, *arguments)
    plain: Any = next(each for each in kind.__mro__ if isinstance(vars(each).get("__init__"), WrapperDescriptorType))
    plain.__init__(error, *arguments)
    return error  # type: ignore[no-any-return]


def fill_exception(error: BaseException, state: tuple[tuple[Any, Any, bool], dict[str, Any] | None]) -> None:
    """The second half of ``make_exception``: attributes, and the errors it came from."""
    (error.__cause__, error.__context__, error.__suppress_context__), attributes = state
    if attributes:
        error.__setstate__(attributes)
