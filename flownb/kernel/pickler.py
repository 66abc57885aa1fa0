"""Pickles a namespace: one memo, functions tied to the live namespace, a placeholder for what cannot be carried."""

from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, MethodWrapperType, ModuleType
from typing import Any

import cloudpickle
from IPython.core.interactiveshell import InteractiveShell

from flownb.kernel import remake
from flownb.kernel.arrays import Arrays
from flownb.kernel.ipython import shell
from flownb.kernel.lost import Loss, Lost, loss_of, rebuild
from flownb.kernel.reducers import REDUCERS, Reduced, bound_to_the_process, standard_stream

PROTOCOL = 5

# The first pickle of a snapshot, written by hand: call remake.namespace and make the result entry 0 of the memo.
PREAMBLE = b"\x80\x05cflownb.kernel.remake\nnamespace\n)R\x94."


class NamespacePickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Writes the variables of ``namespace`` one after another; see ``dump_variable``."""

    def __init__(
        self,
        file: io.BytesIO,
        namespace: dict[str, Any],
        origin: Callable[[str], str | None],
        buffer_callback: Callable[[pickle.PickleBuffer], bool],
    ) -> None:
        super().__init__(file, protocol=PROTOCOL, buffer_callback=buffer_callback)
        self.arrays = Arrays()
        self._ndarray = getattr(sys.modules.get("numpy"), "ndarray", None)
        self.memo = {id(namespace): (0, namespace)}
        self._namespace = namespace
        self._origin = origin
        self._bound = bound_to_the_process()
        self._variable = ""
        self._value: object = None
        self._lost: dict[int, Loss] = {}  # by id; the memo keeps what the ids belong to alive
        self._rebuilt: dict[int, tuple[object, ...]] = {}
        self._parts: list[Loss] = []  # of the variable being written

    def dump_variable(self, name: str, value: object) -> tuple[str, str | None]:
        """Writes ``value``; says whether it was "kept" or "lost", and what of it was lost, if anything.

        Raises what its pickling raises: what was written since the pickler was made is useless then.
        """
        self._variable, self._value = name, value
        self._parts.clear()
        self.dump(value)
        if loss := self._loss_of(value):
            return "lost", loss.for_the_record()
        return "kept", self._parts[0].for_the_record() if self._parts else None

    def dump_lost(self, name: str, value: object, cause: str) -> tuple[str, str | None]:
        """Writes a placeholder for the whole of variable ``name``."""
        self._variable, self._value = name, value
        loss = self._loss(value, cause)
        self.dump(Lost(loss))
        return "lost", loss.for_the_record()

    def _loss(self, value: object, cause: str) -> Loss:
        return Loss(self._variable, value is self._value, type_name(value), self._origin(self._variable), cause)

    def _loss_of(self, value: object) -> Loss | None:
        """How ``value`` was lost, if it was: by itself, or with what it is to be rebuilt from."""
        parts = self._rebuilt.get(id(value), ())
        return self._lost.get(id(value)) or next(filter(None, map(self._loss_of, parts)), None)

    def reducer_override(self, obj: Any) -> Any:
        """Called by the pickler for each object that is not of a plain built-in type."""
        kind = type(obj)
        if kind is self._ndarray and (reduced := self.arrays.reduce(obj, self._variable)) is not None:
            return reduced
        if kind is Lost:
            return self._replace(obj, loss_of(obj))
        if issubclass(kind, BuiltinFunctionType | MethodWrapperType):
            return self._built_in(obj)
        if kind in REDUCERS:
            return REDUCERS[kind](obj)
        if isinstance(obj, type | FunctionType):
            return super().reducer_override(obj)
        if isinstance(obj, InteractiveShell):
            return shell, ()
        if isinstance(obj, io.TextIOBase) and (stream := standard_stream(obj)):
            return getattr, (sys, stream)
        if issubclass(kind, self._bound):
            return self._replace(obj, self._loss(obj, "it lives in one process only"))
        return self._reduce(obj)

    def _reduce(self, obj: Any) -> Reduced:
        reducer = self.dispatch_table.get(type(obj))
        try:
            reduced: Reduced = reducer(obj) if reducer else obj.__reduce_ex__(PROTOCOL)
        except (RecursionError, MemoryError):
            raise
        except Exception as error:
            return self._replace(obj, self._loss(obj, str(error) or type(error).__name__))
        if isinstance(reduced, str):
            return self._by_name(obj, reduced)
        if hasattr(type(obj), "__next__"):
            return self._rebuild(obj, *reduced)
        return reduced

    def _built_in(self, function: Any) -> Reduced:
        if function.__self__ is None or isinstance(function.__self__, ModuleType):
            return str(function.__qualname__)
        return self._rebuild(function, getattr, (function.__self__, function.__name__))

    def _rebuild(self, obj: object, function: object, parts: tuple[object, ...], *rest: object) -> Reduced:
        self._rebuilt[id(obj)] = parts
        return rebuild, (function, parts), *rest

    def _by_name(self, obj: Any, name: str) -> Reduced:
        if getattr(obj, "__module__", None) == "__main__":
            return self._replace(
                obj, self._loss(obj, "it can be pickled by its name only, and cells cannot be imported")
            )
        return name

    def _replace(self, obj: object, loss: Loss) -> Reduced:
        self._lost[id(obj)] = loss
        self._parts.append(loss)
        return Lost, (loss,)

    def _dynamic_function_reduce(self, function: FunctionType) -> Reduced:
        """Called by cloudpickle for functions that cannot be imported."""
        home = self._home(function)
        if home is None:
            return super()._dynamic_function_reduce(function)  # type: ignore[no-any-return]
        made = (function.__code__, home, function.__name__, function.__closure__)
        return remake.make_function, made, remake.function_state(function), None, None, remake.fill_function

    def _home(self, function: FunctionType) -> dict[str, Any] | str | None:
        """The globals as they are to be found again: the namespace itself, or a module by its name."""
        if function.__globals__ is self._namespace:
            return self._namespace
        module = sys.modules.get(function.__globals__.get("__name__", ""))
        if isinstance(module, ModuleType) and vars(module) is function.__globals__:
            return module.__name__
        return None


def type_name(value: object) -> str:
    """The type's full name, as messages and the record show it; without the module for built-in ones."""
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
