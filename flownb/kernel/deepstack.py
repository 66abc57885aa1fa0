"""Room for recursion: pickle's C code recurses once and more for each level of a nested value."""

from __future__ import annotations

import pickle
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from types import FunctionType
from typing import Any, TypeVar

_STACK = 512 * 1024 * 1024  # bytes, of which only those in use take memory
_RECURSION = 250_000  # leaves 2 KiB of stack a level

_C_RECURSES_LITTLE = (3, 12) <= sys.version_info < (3, 14)
"""Versions of Python whose C code has a limit of its own, which no stack moves."""

_BUILT_IN = pickle._Pickler.dispatch.keys() - {type, FunctionType}

T = TypeVar("T")

_thread = threading.local()


def on_deep_stack(function: Callable[[], T]) -> T:
    """What ``function`` returns or raises, run in a thread with a large stack, or here where no such thread can be."""
    calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
    answer: Future[T] = Future()

    def run() -> None:
        _thread.calls = calls
        usual = sys.getrecursionlimit()
        sys.setrecursionlimit(_RECURSION)
        _answer(answer, function)
        sys.setrecursionlimit(usual)
        calls.put(None)

    thread = threading.Thread(target=run)
    usual_stack = threading.stack_size(_STACK)
    try:
        thread.start()
    except RuntimeError:
        return function()
    finally:
        threading.stack_size(usual_stack)
    while call := calls.get():
        call()
    return answer.result()


def in_the_authors_thread(function: Callable[[], T]) -> T:
    """What ``function`` returns or raises, run in the thread that asked for the deep stack, if this is one."""
    if not on_it():
        return function()
    answer: Future[T] = Future()
    _thread.calls.put(lambda: _answer(answer, function))
    return answer.result()


def on_it() -> bool:
    """Whether this is the thread with the large stack."""
    return hasattr(_thread, "calls")


def _answer(answer: Future[T], function: Callable[[], T]) -> None:
    try:
        answer.set_result(function())
    except BaseException as error:
        answer.set_exception(error)


def needs_python() -> bool:
    """Whether this is a large stack that pickle's C code would not use."""
    return _C_RECURSES_LITTLE and on_it()


class DeepPickler(pickle._Pickler):
    """Pickles as ``like`` does, a pickler in C, but in Python: slow, and as deep as the stack."""

    def __init__(self, file: Any, like: Any, buffer_callback: Callable[[pickle.PickleBuffer], Any]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL, buffer_callback=buffer_callback)
        self.memo = like.memo.copy()
        self.dispatch_table = like.dispatch_table
        self._like = like

        def save_reduce(*parts: Any, obj: object = None) -> None:
            pickle._Pickler.save_reduce(self, *parts, obj=obj)  # type: ignore[attr-defined]

        self.save_reduce = save_reduce  # such a call of a function stays in Python, that of a method goes through C

    def reducer_override(self, obj: Any) -> Any:
        """Asked for every object, while the one in C does not ask for those of built-in types."""
        return NotImplemented if type(obj) in _BUILT_IN else self._like.reducer_override(obj)
