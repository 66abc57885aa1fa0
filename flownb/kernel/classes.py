"""How classes that cells define are pickled: as cloudpickle does it, but with slots, qualified name, and enums whole.

They are remade without running the hooks of classes (``__init_subclass__``, metaclasses) once more.
"""

from __future__ import annotations

import copyreg
import enum
from types import MethodDescriptorType
from typing import Any, cast

from flownb.kernel import remake, remake_types
from flownb.kernel.importable import importable
from flownb.kernel.reducers import Reduced

_BASIC = type("_Basic", (), {}).__basicsize__
_LOOKED_UP = {"__class__", "__getattr__", "__getattribute__"}
_TURNS = {"__next__", *_LOOKED_UP, *remake.ARGUMENTS}


def by_value(cls: type, reduced: tuple[Any, ...]) -> Reduced:
    """``reduced`` is cloudpickle's answer for ``cls``, a class that cannot be imported."""
    _, arguments, (attributes, slots), _, _, fill = reduced
    attributes.pop("__slotnames__", None)  # noted by copyreg once an object has been pickled
    if issubclass(cls, enum.Enum):
        members = cls.__members__
        values = {name: member.value for name, member in members.items()}
        bases, name, qualname, _, module, *_ = arguments
        state = {key: value for key, value in attributes.items() if key not in members}
        own = {name: _own(member) for name, member in members.items()}
        made = bases, name, qualname, values, module
        return remake_types.make_enum, made, ((state, slots), own), None, None, remake_types.fill_enum
    metaclass, name, _, namespace, *_ = arguments
    namespace = {**namespace, "__qualname__": cls.__qualname__}
    if "__slots__" in attributes:
        namespace["__slots__"] = attributes.pop("__slots__")
    return remake_types.make_class, (metaclass, name, cls.__bases__, namespace), (attributes, slots), None, None, fill


def _own(member: enum.Enum) -> dict[str, Any]:
    """What the class has given its member, beyond what every member has."""
    return {name: value for name, value in vars(member).items() if not (name[0] == "_" == name[-1])}


def reduces_plainly(kind: Any) -> bool:
    """Whether pickling an object of ``kind`` runs no code of its own and cannot fail before its state is met."""
    return (
        kind.__reduce_ex__ is object.__reduce_ex__
        and kind.__reduce__ is object.__reduce__
        and kind.__getstate__ is object.__getstate__
        and kind.__new__ is object.__new__
        and kind.__basicsize__ <= _BASIC
        and kind not in copyreg.dispatch_table
        and not any(_TURNS & vars(each).keys() for each in kind.__mro__[:-1])
    )


def needs_care(kind: type) -> bool:
    """Whether remaking an object of ``kind`` as pickle does, by the code of its class, would go wrong.

    ``__new__`` of a cell's class may ask for other arguments than its base gives; ``__getattr__``, which is asked for
    ``__setstate__``, may need the state that is not there yet; and pickle takes it for a mistake that a mock lies about
    its class.
    """
    if any(_LOOKED_UP & vars(each).keys() for each in kind.__mro__[:-1]):
        return True
    new = kind.__new__
    return new is not remake.maker(kind).__new__ and not importable(new, new.__qualname__)


def with_care(reduced: Reduced) -> Reduced:
    """The same, remade without that code; ``__setstate__`` is the exception."""
    if reduced[0] is not copyreg.__newobj__ or not isinstance(reduced, tuple):  # type: ignore[attr-defined]
        return reduced
    _, arguments, *state = reduced
    values, items, pairs, *_ = *state, None, None, None
    fill = None if values is None or hasattr(arguments[0], "__setstate__") else remake.fill_object
    return remake.make_object, arguments, values, items, pairs, fill


def is_plain_exception(kind: type) -> bool:
    """Whether it is an exception that leaves its pickling to Python."""
    return issubclass(kind, BaseException) and isinstance(kind.__reduce__, MethodDescriptorType)


def exception(error: BaseException) -> Reduced:
    """Not by its ``__init__``, which may ask for other arguments than those that ended up in ``args``."""
    kind, arguments, *state = cast("tuple[Any, ...]", error.__reduce__())
    linked = error.__cause__, error.__context__, error.__suppress_context__
    return (
        remake_types.make_exception,
        (kind, arguments),
        (linked, state[0] if state else None),
        None,
        None,
        remake_types.fill_exception,
    )
