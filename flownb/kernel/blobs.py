"""Content by its digest, on disk once: a pool that all snapshots share, and links to it from those that need it.

A blob is in the pool as long as somebody else has a hard link to it. The file system counts the links, so that nothing
can go wrong between a snapshot that finds a blob and a clean-up that removes it: whoever has linked it, has it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from flownb import faults
from flownb.core.hashing import CHUNK, PACKED, agrees, digest
from flownb.kernel import durable, familiar
from flownb.kernel.mapping import mapped
from flownb.kernel.snapshot_errors import SnapshotDamaged, SnapshotIncompatible

zstandard: Any
try:
    zstandard = import_module("zstandard")
except ImportError:  # a kernel in an environment of its own
    zstandard = None

SLICE = 256 * 1024
"""Bytes that are copied at a time, few enough to stay in the processor's cache."""

THREADS = 8
"""More than cores: most of the time goes into waiting for the disk."""

LEVEL = 1
WORTH = 0.9
"""Content that shrinks to less than this share of its size is kept packed."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Kept:
    """Content on disk: the names of its pieces, its size, and how many bytes had to be written for it."""

    pieces: list[str]
    size: int
    stored: int


class Blobs:
    """The blobs of one execution, in the folder ``own``; ``pool`` has those of all."""

    def __init__(self, own: Path, pool: Path) -> None:
        self._own = own
        self._pool = pool

    def keep(self, contents: Sequence[Any], *, pack: bool) -> list[Kept]:
        """Put contents, objects with a contiguous buffer, on disk; ``pack`` those that shrink.

        Raises ``OSError``: what was written then is of no use, and does no harm.
        """
        if not contents:
            return []
        self._own.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = in_pieces(contents, lambda piece: self._keep(piece, pack), THREADS)
        durable.sync_folder(self._own)
        return kept

    def _keep(self, content: memoryview, pack: bool) -> tuple[str, int]:
        if not familiar.seems(content):  # most likely new: to look for it first would cost another reading
            return self._write(content, pack)
        name = digest([content])
        for known in (name + PACKED, name) if pack else (name,):
            if self._have(known):
                return known, 0
        return self._write(content, pack)

    def _have(self, name: str) -> bool:
        """Whether we have that blob, or have it now."""
        try:
            os.link(self._pool / name[:2] / name, self._own / name)
        except FileExistsError:
            return True
        except OSError:  # not in the pool; too many links, or a file system without them
            return (self._own / name).exists()
        return True

    def _write(self, content: memoryview, pack: bool) -> tuple[str, int]:
        familiar.note(content)
        packed = packed_content(content) if pack else None
        descriptor, temporary = tempfile.mkstemp(dir=self._own, prefix=".")
        try:
            with os.fdopen(descriptor, "wb") as file:
                name = digest(_written(file, content)) if packed is None else digest([content]) + PACKED
                file.write(packed or b"")
                file.flush()
                os.fsync(descriptor)
            if self._have(name):
                Path(temporary).unlink()
                return name, 0
            faults.point("checkpoint.blob")
            Path(temporary).replace(self._own / name)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        self._share(name)
        return name, len(content) if packed is None else len(packed)

    def _share(self, name: str) -> None:
        folder = self._pool / name[:2]
        with suppress(OSError):  # there already, or no links on this file system: then nobody else has it
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.link(self._own / name, folder / name)

    def content(self, pieces: Sequence[str]) -> bytes:
        """What was kept as ``pieces``; raises ``SnapshotDamaged`` or ``SnapshotIncompatible``."""
        return b"".join(side_by_side(self._unpacked, pieces, THREADS))

    def _unpacked(self, name: str) -> bytes:
        try:
            content = (self._own / name).read_bytes()
        except OSError as error:
            raise SnapshotDamaged(f"a part of the checkpoint cannot be read: {error}") from None
        return unpacked(name, content)

    def buffers(self, kept: Sequence[tuple[Sequence[str], int]]) -> list[memoryview]:
        """The same, of several contents with their sizes, as memory that is private to this process.

        It is read from disk as it is touched.
        """
        views = []
        for pieces, size in kept:
            views.append(view := self._mapped(pieces, size))
            for place, name in enumerate(pieces):
                piece = view[place * CHUNK : (place + 1) * CHUNK]
                check(name, piece)
                familiar.note(piece)
        return views

    def _mapped(self, pieces: Sequence[str], size: int) -> memoryview:
        try:
            return mapped([self._own / name for name in pieces], size)
        except (OSError, ValueError) as error:
            raise SnapshotDamaged(f"a part of the checkpoint cannot be read: {error}") from None


def _written(file: BinaryIO, content: memoryview) -> Iterator[memoryview]:
    """Slices of ``content`` as they went to the file: should another thread change it, the digest is of the file."""
    copy = memoryview(bytearray(SLICE))
    for start in range(0, len(content), SLICE):
        slice = copy[: min(SLICE, len(content) - start)]
        slice[:] = content[start : start + SLICE]
        file.write(slice)
        yield slice


def in_pieces(contents: Sequence[Any], keep: Callable[[memoryview], tuple[str, int]], threads: int) -> list[Kept]:
    """Contents, objects with a contiguous buffer, cut into pieces which ``keep`` puts away side by side.

    It gives each piece's name, and how many bytes had to be written for it.
    """
    views = [memoryview(content).cast("B") for content in contents]
    cut = [[view[start : start + CHUNK] for start in range(0, len(view), CHUNK)] for view in views]
    done = iter(side_by_side(keep, [piece for each in cut for piece in each], threads))
    return [_whole(len(view), [next(done) for _ in each]) for view, each in zip(views, cut, strict=True)]


def _whole(size: int, pieces: Iterable[tuple[str, int]]) -> Kept:
    done = list(pieces)
    return Kept([name for name, _ in done], size, sum(stored for _, stored in done))


def check(name: str, content: Any) -> None:
    """Raises ``SnapshotDamaged`` where the content is not what has that name, and ``SnapshotIncompatible``."""
    try:
        sound = agrees(name, content)
    except LookupError as error:
        raise SnapshotIncompatible(str(error)) from None
    if not sound:
        raise SnapshotDamaged(f"a part of the checkpoint, {name}, is not what was written there")


def packed_content(content: memoryview) -> bytes | None:
    """The content packed, where that is worth its while."""
    if zstandard is None:
        return None
    packed: bytes = zstandard.ZstdCompressor(level=LEVEL).compress(content)
    return packed if len(packed) < WORTH * len(content) else None


def unpacked(name: str, content: bytes) -> bytes:
    """The content of a blob; raises ``SnapshotDamaged`` or ``SnapshotIncompatible``."""
    try:
        if name.endswith(PACKED):
            content = _unpacker().decompress(content, max_output_size=CHUNK)
    except SnapshotIncompatible:
        raise
    except Exception as error:  # zstandard's own
        raise SnapshotDamaged(f"a part of the checkpoint cannot be unpacked: {error}") from None
    check(name.removesuffix(PACKED), content)
    return content


def _unpacker() -> Any:
    if zstandard is None:
        raise SnapshotIncompatible("the snapshot was packed with zstandard: install it in this kernel's environment")
    return zstandard.ZstdDecompressor()


def side_by_side(function: Callable[[T], R], values: Sequence[T], threads: int) -> list[R]:
    """What ``function`` makes of each value; while one thread waits for the disk, others compute."""
    if len(values) < 2:
        return [function(value) for value in values]
    with ThreadPoolExecutor(min(len(values), threads)) as pool:
        return list(pool.map(function, values))
