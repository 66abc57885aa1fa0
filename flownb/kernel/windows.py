"""What a snapshot calls to remake numpy arrays. Snapshots refer to these by name: renaming one breaks them."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Stretch:
    """Memory that was kept: its bytes from ``start`` on."""

    def __init__(self, content: Any, start: int = 0) -> None:
        self.bytes = import_module("numpy").frombuffer(content, "u1")
        self.start = start


def memory(content: Any) -> Stretch:
    """What arrays are windows on: a ``Stretch`` that was kept outside the pickle, or bytes from within."""
    return content if isinstance(content, Stretch) else Stretch(content)


def window(stretch: Stretch, dtype: Any, shape: Any, strides: Any, offset: int, writeable: bool) -> Any:
    """An array that looks at a part of ``stretch``."""
    return _window(stretch.bytes, dtype, shape, strides, offset - stretch.start, writeable)


def view(root: Any, dtype: Any, shape: Any, strides: Any, offset: int, writeable: bool) -> Any:
    """An array that looks at a part of the array ``root``."""
    return _window(root.ravel("K"), dtype, shape, strides, offset, writeable)


def _window(base: Any, dtype: Any, shape: Any, strides: Any, offset: int, writeable: bool) -> Any:
    made = import_module("numpy").ndarray(shape, dtype, base, offset, strides)
    made.flags.writeable = writeable
    return made


def array(content: bytes, dtype: Any, shape: Any, order: str, writeable: bool) -> Any:
    """A small array."""
    made = import_module("numpy").ndarray(shape, dtype, bytearray(content), order=order)
    if not writeable:
        made.flags.writeable = False
    return made
