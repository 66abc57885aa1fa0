"""Pickles a namespace: one memo, functions tied to the live namespace, a placeholder for what cannot be carried."""

from __future__ import annotations

import builtins
import gc
import io
import pickle
import sys
from collections.abc import Callable
from importlib import import_module
from types import BuiltinFunctionType, FunctionType, MethodWrapperType, ModuleType
from typing import Any

import cloudpickle
from IPython.core.interactiveshell import InteractiveShell

from flownb.kernel import classes, deepstack, origins, remake
from flownb.kernel.arrays import Arrays
from flownb.kernel.bound import bound_to_the_process, is_bound
from flownb.kernel.deepstack import DeepPickler
from flownb.kernel.importable import importable, made_by_hand, sentinels
from flownb.kernel.ipython import shell
from flownb.kernel.lost import Loss, Lost, loss_of, rebuild
from flownb.kernel.reducers import BY_NAME, NEED_THEIR_PARTS, OF_SUBCLASSES, REDUCERS, Reduced, unnamed

PROTOCOL = 5

# The first pickle of a snapshot, written by hand: what remake makes becomes the entries 0 and 1 of the memo.
PREAMBLE = b"\x80\x05cflownb.kernel.remake\nnamespace\n)R\x940cflownb.kernel.remake\nbuilt_in_names\n)R\x94."


class Incomplete(Exception):
    """Only a part of a variable can be carried, while a setup cell makes the whole of it."""


class NamespacePickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Writes the variables of ``namespace`` one after another; see ``dump_variable``."""

    def __init__(
        self,
        file: io.BytesIO,
        namespace: dict[str, Any],
        origin: Callable[[str], str | None],
        buffer_callback: Callable[[pickle.PickleBuffer], bool],
    ) -> None:
        self.dispatch_table = dict(cloudpickle.Pickler.dispatch_table)  # quicker than cloudpickle's ChainMap
        super().__init__(file, protocol=PROTOCOL, buffer_callback=buffer_callback)
        self.arrays = Arrays()
        self._ndarray = getattr(sys.modules.get("numpy"), "ndarray", None)
        self.memo = {id(namespace): (0, namespace), id(vars(builtins)): (1, vars(builtins))}
        self._deep = DeepPickler(file, self, buffer_callback) if deepstack.needs_python() else None
        self._namespace = namespace
        self._origin = origin
        self._names = {id(namespace[name]): name for name in reversed(origins.authors_names(shell()))}
        self._bound = bound_to_the_process()
        self._reducers: dict[type, Callable[[Any], Any]] = {}
        self._homes: dict[int, dict[str, Any] | ModuleType] = {}
        self._variable = ""
        self._lost: dict[int, Loss] = {}  # by id; the memo keeps what the ids belong to alive
        self._rebuilt: dict[int, tuple[object, ...]] = {}
        self._parts: list[Loss] = []  # of the variable being written
        for value in list(namespace.values()):
            if made_by_hand(value) and sys.modules.get(value.__name__) is value:
                cloudpickle.register_pickle_by_value(value)

    def dump_variable(self, name: str, value: object) -> tuple[str, str | None]:
        """Writes ``value``; says what becomes of it, and what of it was lost and why, if anything.

        It is "kept"; "partly", with a placeholder in it; "remade", by a setup cell; or "lost". Raises what its pickling
        raises, and ``Incomplete``: what was written since the pickler was made is useless then.
        """
        if (cause := origins.incomplete(name)) and origins.is_as_set_up(name, value):
            return self.dump_lost(name, value, cause)
        self._variable = name
        self._parts.clear()
        self.dump(value)
        if loss := self._loss_of(value):
            return _status(loss), loss.for_the_record()
        missing = [part for part in self._parts if _status(part) == "lost"]
        if not missing:
            return "kept", None
        if origins.is_as_set_up(name, value):
            origins.note_incomplete(name, missing[0].for_the_record())
            raise Incomplete(missing[0].for_the_record())
        return "partly", missing[0].for_the_record()

    def dump_lost(self, name: str, value: object, cause: str) -> tuple[str, str | None]:
        """Writes a placeholder for the whole of variable ``name``, which stands for ``value`` from now on."""
        self._variable = name
        loss = Loss(name, True, type_name(value), self._origin(name), cause)
        stand_in = Lost(loss)
        self.dump(stand_in)
        pickler: Any = self._deep or self
        memo = pickler.memo.copy()
        memo[id(value)] = memo.pop(id(stand_in))[0], value
        pickler.memo = memo
        self._lost[id(value)] = self._lost.pop(id(stand_in))
        return _status(loss), loss.for_the_record()

    def dump(self, value: object) -> None:
        if self._deep is None:
            super().dump(value)
        else:
            self._deep.dump(value)

    def _loss(self, value: object, cause: str) -> Loss:
        name = self._names.get(id(value))
        variable = self._variable if name is None else name
        return Loss(variable, name is not None, type_name(value), self._origin(variable), cause)

    def _loss_of(self, value: object) -> Loss | None:
        """How ``value`` was lost, if it was: by itself, or with what it is to be rebuilt from."""
        parts = self._rebuilt.get(id(value), ())
        return self._lost.get(id(value)) or next(filter(None, map(self._loss_of, parts)), None)

    def reducer_override(self, obj: Any) -> Any:
        """Called by the pickler for each object that is not of a plain built-in type."""
        kind = type(obj)
        reducer = self._reducers.get(kind)
        if reducer is None:
            reducer = self._reducers[kind] = self._reducer(kind)
        return reducer(obj)

    def _reducer(self, kind: type) -> Callable[[Any], Any]:
        """How objects of type ``kind`` are pickled; asked once for each type."""
        if kind is Lost:
            return lambda lost: self._replace(lost, loss_of(lost))
        if kind is self._ndarray:
            return lambda array: self.arrays.reduce(array, self._variable) or self._reduce(array, None)
        if issubclass(kind, type):
            return self._class
        if issubclass(kind, FunctionType):
            return self._function_reduce  # type: ignore[no-any-return]
        if issubclass(kind, ModuleType):
            return self._module
        if issubclass(kind, BuiltinFunctionType | MethodWrapperType):
            return self._built_in
        if issubclass(kind, InteractiveShell):
            return lambda _: (shell, ())
        if is_bound(kind, self._bound):
            return self._process_bound
        special = self._special(kind)
        if named := sentinels(kind):
            return lambda obj: named.get(id(obj)) or self._reduce(obj, special)
        if special is None and classes.reduces_plainly(kind):
            return _as_usual
        if classes.needs_care(kind):
            return lambda obj: classes.with_care(self._reduce(obj, special))
        return lambda obj: self._reduce(obj, special)

    def _special(self, kind: type) -> Callable[[Any], Reduced] | None:
        """Not the type's own way."""
        found = REDUCERS.get(kind) or BY_NAME.get(f"{kind.__module__}.{kind.__qualname__}")
        found = found or next((OF_SUBCLASSES[each] for each in kind.__mro__ if each in OF_SUBCLASSES), None)
        return found or (classes.exception if classes.is_plain_exception(kind) else self.dispatch_table.get(kind))

    def _reduce(self, obj: Any, special: Callable[[Any], Reduced] | None) -> Reduced:
        try:
            reduced = special(obj) if special else obj.__reduce_ex__(PROTOCOL)
        except (RecursionError, MemoryError):
            raise
        except Exception as error:
            return self._replace(obj, self._loss(obj, str(error) or type(error).__name__))
        if isinstance(reduced, str):
            return self._by_name(obj, reduced)
        if hasattr(type(obj), "__next__") or type(obj) in NEED_THEIR_PARTS:
            return self._rebuild(obj, *reduced)
        return reduced

    def _process_bound(self, obj: Any) -> Reduced:
        if isinstance(obj, io.TextIOBase) and (stream := _standard_stream(obj)):
            return getattr, (sys, stream)
        return self._replace(obj, self._loss(obj, "it lives in one process only"))

    def _built_in(self, function: Any) -> Reduced:
        if function.__self__ is None or isinstance(function.__self__, ModuleType):
            return str(function.__qualname__)
        return self._rebuild(function, getattr, (function.__self__, function.__name__))

    def _rebuild(self, obj: object, function: object, parts: tuple[object, ...], *rest: object) -> Reduced:
        self._rebuilt[id(obj)] = parts
        return rebuild, (function, parts), *rest

    def _by_name(self, obj: Any, name: str) -> Reduced:
        if importable(obj, name):
            return name
        reduced = unnamed(obj)
        if reduced is None:
            cause = "it can be pickled by its name only, and cells cannot be imported"
            return self._replace(obj, self._loss(obj, cause))
        return reduced

    def _replace(self, obj: object, loss: Loss) -> Reduced:
        self._lost[id(obj)] = loss
        self._parts.append(loss)
        return remake.lost, (loss,)

    def _class(self, cls: type) -> Any:
        reduced = super().reducer_override(cls)
        if not isinstance(reduced, tuple) or len(reduced) < 6:
            return reduced  # it can be imported
        if origins.any_incomplete() and origins.is_as_set_up(self._names.get(id(cls), ""), cls):
            return self._replace(cls, self._loss(cls, "a setup cell defines it, and makes objects that need it"))
        return classes.by_value(cls, reduced)

    def _module(self, module: ModuleType) -> Reduced:
        known = sys.modules.get(module.__name__) is module
        if known and not made_by_hand(module):
            parts = origins.imported_parts(module.__name__)
            return (remake.import_package, (module.__name__, parts)) if parts else (import_module, (module.__name__,))
        contents = {name: value for name, value in vars(module).items() if name != "__builtins__"}
        return remake.make_module, (module.__name__, known), contents, None, None, remake.fill_module

    def _dynamic_function_reduce(self, function: FunctionType) -> Reduced:
        """Called by cloudpickle for functions that cannot be imported."""
        home = self._home(function.__globals__)
        if home is None:
            return super()._dynamic_function_reduce(function)  # type: ignore[no-any-return]
        made = (function.__code__, home, function.__name__, function.__closure__)
        return remake.make_function, made, remake.function_state(function), None, None, remake.fill_function

    def _home(self, names: dict[str, Any]) -> dict[str, Any] | ModuleType | str | None:
        """The globals ``names`` as they are to be found again; None for those of a library's that are not found."""
        if names is self._namespace:
            return names
        module = sys.modules.get(names.get("__name__", ""))
        if isinstance(module, ModuleType) and vars(module) is names:
            return module if made_by_hand(module) else module.__name__
        if module is not None and module.__name__ != "__main__":
            return None
        if id(names) not in self._homes:
            modules = (each for each in gc.get_referrers(names) if isinstance(each, ModuleType) and vars(each) is names)
            self._homes[id(names)] = next(modules, names)
        return self._homes[id(names)]


def _as_usual(_: object) -> Any:
    return NotImplemented


def _status(loss: Loss) -> str:
    return "remade" if loss.whole and origins.is_set_up(loss.variable) else "lost"


def _standard_stream(obj: io.TextIOBase) -> str | None:
    """The name in ``sys`` where ``obj`` is one of the standard streams."""
    return next((name for name in ("stdin", "stdout", "stderr") if getattr(sys, name) is obj), None)


def type_name(value: object) -> str:
    """The type's full name, as messages and the record show it; without the module for built-in ones."""
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
