"""How single types are pickled where neither pickle nor cloudpickle does it as a namespace needs it."""

from __future__ import annotations

import functools
import gc
import logging
import random
import re
import struct
import threading
import typing
import weakref
from collections.abc import Callable
from types import CellType, MappingProxyType
from typing import Any

from flownb.kernel import remake
from flownb.kernel import remake_types as types
from flownb.kernel import remake_values as values
from flownb.kernel.deepstack import in_the_authors_thread
from flownb.kernel.importable import importable

Reduced = str | tuple[Any, ...]
"""What a reducer returns; see ``object.__reduce__``."""

_LRU_CACHED = type(functools.lru_cache(lambda: None))


def _lru_cached(function: Any) -> Reduced:
    if importable(function, function.__qualname__):
        return str(function.__qualname__)
    how = function.cache_parameters()
    return remake.make_cached, (function.__wrapped__, how["maxsize"], how["typed"]), vars(function)


def _logger(logger: logging.Logger) -> Reduced:
    how = {name: getattr(logger, name) for name in ("level", "propagate", "disabled", "handlers", "filters")}
    return logging.getLogger, (logger.name,), how, None, None, values.fill_logger


def _behind(view: Any) -> Any:
    """What a view of a dict, or a read-only proxy, looks at: all that the garbage collector sees of it."""
    return gc.get_referents(view)[0]


def _memoryview(view: memoryview) -> Reduced:
    whole = memoryview(view.obj)
    about = view.nbytes, view.format, view.shape, view.readonly
    if view.c_contiguous and whole.c_contiguous:
        if view.nbytes == whole.nbytes:
            return values.make_memoryview, (view.obj, 0, *about)
        if view.nbytes and not view.readonly:
            return values.make_memoryview, (view.obj, values.address(view) - values.address(whole), *about)
    return values.make_memoryview, (view.tobytes(), 0, *about)


def _reference(reference: weakref.ref[Any]) -> Reduced:
    target = reference()
    return (values.dead_reference, ()) if target is None else (weakref.ref, (target, reference.__callback__))


def _weak_method(reference: weakref.WeakMethod[Any]) -> Reduced:
    method = reference()
    return (values.dead_reference, ()) if method is None else (weakref.WeakMethod, (method,))


def _proxy(proxy: Any) -> Reduced:
    return weakref.proxy, (proxy.__repr__.__self__,)  # what a proxy's methods are bound to is what it stands for


def _weak_dict(weak: Any) -> Reduced:
    return type(weak), (), None, None, iter(list(weak.items()))


def _match(match: re.Match[Any]) -> Reduced:
    tries = (("search", match.pos), ("match", match.pos), ("fullmatch", match.pos), ("match", match.start()))
    for way, start in tries:
        again = getattr(match.re, way)(match.string, start, match.endpos)
        if again is not None and again.regs == match.regs:
            return values.make_match, (match.re, way, match.string, start, match.endpos)
    raise TypeError("it cannot be found again")


REDUCERS: dict[type, Callable[[Any], Reduced]] = {
    CellType: lambda cell: (CellType, (), remake.cell_state(cell), None, None, remake.fill_cell),
    MappingProxyType: lambda proxy: (MappingProxyType, (_behind(proxy),)),
    _LRU_CACHED: _lru_cached,
    logging.Logger: _logger,
    logging.RootLogger: _logger,
    memoryview: _memoryview,
    random.SystemRandom: lambda _: (random.SystemRandom, ()),
    re.Match: _match,
    struct.Struct: lambda packer: (struct.Struct, (packer.format,)),
    type({}.items()): lambda view: (dict.items, (_behind(view),)),
    type({}.keys()): lambda view: (dict.keys, (_behind(view),)),
    type({}.values()): lambda view: (dict.values, (_behind(view),)),
    type(threading.Lock()): lambda lock: (threading.Lock, ()),
    type(threading.RLock()): lambda lock: (threading.RLock, ()),
    weakref.CallableProxyType: _proxy,
    weakref.ProxyType: _proxy,
    weakref.WeakKeyDictionary: _weak_dict,
    weakref.WeakMethod: _weak_method,
    weakref.WeakValueDictionary: _weak_dict,
    weakref.ref: _reference,
}
"""By exact type."""

OF_SUBCLASSES: dict[type, Callable[[Any], Reduced]] = {
    threading.local: lambda local: (remake.make_object, (type(local),), in_the_authors_thread(lambda: vars(local))),
}
"""By the type, or one that it inherits from."""

BY_NAME: dict[str, Callable[[Any], Reduced]] = {
    "sqlite3.Row": lambda row: (values.make_row, (row.keys(), tuple(row))),
}
"""By the type's full name, for modules that may not be in use."""

NEED_THEIR_PARTS = {memoryview, weakref.CallableProxyType, weakref.ProxyType, weakref.WeakMethod}
"""Types whose objects are lost where what they look at is lost."""


def unnamed(obj: Any) -> Reduced | None:
    """For an object that wants to be pickled by a name which cannot be imported; None where there is no other way."""
    kind: Any = type(obj)
    if kind in (typing.ParamSpec, typing.TypeVarTuple):
        return kind, (obj.__name__,)
    if kind is getattr(typing, "TypeAliasType", None):
        return types.make_alias, (obj.__name__, obj.__value__, obj.__type_params__)
    if kind.__new__ is object.__new__:
        return remake.make_object, (kind,), obj.__getstate__()
    return None
