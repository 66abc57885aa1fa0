"""Memory that is read from files only when it is touched, and changed for this process alone."""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
from collections.abc import Sequence
from pathlib import Path

_FIXED = 0x10
"""``MAP_FIXED`` of Linux and macOS, which the module ``mmap`` does not have."""


def mapped(files: Sequence[Path], size: int) -> memoryview:
    """The contents of ``files`` one after the other, ``size`` bytes in all; writing to them changes no file.

    All files but the last are of whole pages. Raises ``OSError``, and ``ValueError`` where they are shorter than that.
    """
    if sum(file.stat().st_size for file in files) != size:
        raise ValueError(f"expected {size:,} bytes in {len(files)} files")
    if len(files) == 1:
        return _one(files[0])
    return _joined(files, size) if sys.platform in ("linux", "darwin") else _read(files)


def _one(file: Path) -> memoryview:
    with file.open("rb") as opened:
        return memoryview(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_COPY))


def _joined(files: Sequence[Path], size: int) -> memoryview:
    """One reservation of addresses, over which the files are laid; it ends with the ``mmap`` object that made it."""
    whole = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    view = memoryview(whole)
    address = ctypes.addressof(ctypes.c_char.from_buffer(whole))
    for file in files:
        with file.open("rb") as opened:
            length = os.fstat(opened.fileno()).st_size
            _lay(address, length, opened.fileno())
        address += length
    return view


def _lay(address: int, length: int, descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    flags = mmap.MAP_PRIVATE | _FIXED
    if libc.mmap(address, length, mmap.PROT_READ | mmap.PROT_WRITE, flags, descriptor, 0) != address:
        raise OSError(ctypes.get_errno(), "the file cannot be mapped")


def _read(files: Sequence[Path]) -> memoryview:
    return memoryview(bytearray().join(file.read_bytes() for file in files))
