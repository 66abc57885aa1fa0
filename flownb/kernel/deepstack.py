"""Room for recursion: pickle's C code recurses once and more for each level of a nested value."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

_STACK = 512 * 1024 * 1024  # bytes, of which only those in use take memory
_RECURSION = 250_000  # leaves 2 KiB of stack a level

T = TypeVar("T")


def on_deep_stack(function: Callable[[], T]) -> T:
    """What ``function`` returns or raises, run in a thread with a large stack, or here where no such thread can be."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        usual = sys.getrecursionlimit()
        sys.setrecursionlimit(_RECURSION)
        try:
            results.append(function())
        except BaseException as error:
            errors.append(error)
        finally:
            sys.setrecursionlimit(usual)

    thread = threading.Thread(target=run)
    usual_stack = threading.stack_size(_STACK)
    try:
        thread.start()
    except RuntimeError:
        return function()
    finally:
        threading.stack_size(usual_stack)
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
