"""numpy arrays that share memory before share it after; the bytes of large ones stay out of the pickle.

What counts is where the memory lies, not who owns it: the bytes of each large stretch are kept once, and every array is
remade as a window on them. Of a stretch only that part is kept which some array looks at.
"""

from __future__ import annotations

import ctypes
import mmap
from dataclasses import dataclass, field
from importlib import import_module
from pickle import PickleBuffer
from typing import Any

from flownb.kernel import windows

OUT_OF_BAND = 64 * 1024
"""Bytes from which on a buffer is worth a place of its own."""

_PLAIN = "biufcmMSUV"
"""Of ``numpy.dtype.kind``: arrays whose bytes are all there is to them."""


@dataclass(eq=False)
class Memory:
    """A stretch of memory; ``first`` to ``end``, counted from its address, is what arrays look at."""

    address: int
    size: int
    owner: object
    first: int
    end: int = 0
    users: list[str] = field(default_factory=list)
    buffer: PickleBuffer | None = None

    def used(self, first: int, end: int, variable: str) -> None:
        self.first, self.end = min(self.first, first), max(self.end, end)
        if variable not in self.users:
            self.users.append(variable)

    @property
    def start(self) -> int:
        """Where what is kept begins: as well aligned as it was, wherever it is mapped."""
        return self.first // mmap.PAGESIZE * mmap.PAGESIZE

    @property
    def content(self) -> memoryview:
        """What is kept."""
        return _bytes(self.address, self.size)[self.start : self.end]

    def __reduce__(self) -> tuple[Any, ...]:
        self.buffer = PickleBuffer(_bytes(self.address, self.size))
        return windows.memory, (self.buffer,)


class Arrays:
    """Reduces the arrays of one namespace."""

    def __init__(self) -> None:
        self._memories: dict[tuple[int, int], Memory] = {}

    def reduce(self, array: Any, variable: str) -> tuple[Any, ...] | None:
        """As ``object.__reduce__`` does; None for arrays of objects. ``variable`` is being written."""
        if array.dtype.kind not in _PLAIN or array.dtype.hasobject or not array.nbytes:
            return None
        root = _root(array)
        small = root.nbytes < OUT_OF_BAND and root.flags.forc
        if small and root is array:
            order = "C" if array.flags.c_contiguous else "F"
            return windows.array, (array.tobytes("A"), array.dtype, array.shape, order, array.flags.writeable)
        if small and root.flags.writeable >= array.flags.writeable:
            offset = _address(array) - _address(root)
            return windows.view, (root, array.dtype, array.shape, array.strides, offset, array.flags.writeable)
        memory = self._memory(root)
        offset = _address(array) - memory.address
        memory.used(*_extent(array, offset), variable)
        return windows.window, (memory, array.dtype, array.shape, array.strides, offset, array.flags.writeable)

    def _memory(self, root: Any) -> Memory:
        first, end = _extent(root, _address(root))
        key = first, end - first
        if key not in self._memories:
            self._memories[key] = Memory(*key, owner=root, first=end - first)
        return self._memories[key]

    @property
    def memories(self) -> list[Memory]:
        """All memory that arrays were found to look at."""
        return list(self._memories.values())


def _root(array: Any) -> Any:
    """The array that all views of the same memory lead to."""
    kind = type(array)
    while isinstance(base := _base(array), kind):
        array = base
    return array


def _base(array: Any) -> Any:
    base = array.base
    # numpy.lib.stride_tricks puts an object of that name between an array and its view.
    return getattr(base, "base", None) if type(base).__name__ == "DummyArray" else base


def _address(array: Any) -> int:
    return int(array.__array_interface__["data"][0])


def _extent(array: Any, at: int) -> tuple[int, int]:
    """The first byte that an array at ``at`` reaches, and the one behind its last; strides may be negative."""
    reach = [stride * (length - 1) for stride, length in zip(array.strides, array.shape, strict=True)]
    return at + sum(step for step in reach if step < 0), at + sum(step for step in reach if step > 0) + array.itemsize


def _bytes(address: int, size: int) -> memoryview:
    """Memory as it is, whatever the layout of the arrays in it."""
    return memoryview(import_module("numpy").frombuffer((ctypes.c_ubyte * size).from_address(address), "u1"))
