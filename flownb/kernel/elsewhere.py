"""Snapshots that this kernel has no folder for: their blobs are sent off piece by piece, and fetched to be mapped.

No more than a few pieces are ever held twice in memory, however large the variables are.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any, Protocol

from flownb import faults
from flownb.core.hashing import PACKED, agrees, digest
from flownb.kernel import familiar
from flownb.kernel.blobs import Blobs, Kept, check, in_pieces, packed_content, side_by_side, unpacked
from flownb.kernel.cache import cache_folder, trim
from flownb.kernel.snapshot_errors import CheckpointMissing, SnapshotDamaged

THREADS = 4
"""Pieces that are under way at the same time."""


class Objects(Protocol):
    """Keeps the objects of one execution by their names. All raise ``PlaceUnreachable`` where that goes on failing."""

    def has(self, name: str, size: int) -> bool:
        """Whether an object of this size is there as a whole."""

    def put(self, name: str, content: bytes) -> None:
        """There as a whole and lasting when this returns; raises ``OSError`` where it is refused."""

    def get(self, name: str, file: IO[bytes]) -> None:
        """Appends what is there to a file; raises ``FileNotFoundError``."""


class Elsewhere:
    """A ``Place`` that is not in this machine's files."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._sent: set[str] = set()
        self._locks: dict[str, threading.Lock] = {}

    def write(self, file: str, parts: Sequence[bytes | memoryview]) -> None:
        faults.point("checkpoint.aside")
        self._objects.put(file, b"".join(parts))

    def read(self, file: str) -> bytes:
        found = io.BytesIO()
        try:
            self._objects.get(file, found)
        except FileNotFoundError:
            raise CheckpointMissing(f"there is no checkpoint {file} at {self._objects}") from None
        return found.getvalue()

    def keep(self, contents: Sequence[Any], *, pack: bool) -> list[Kept]:
        return in_pieces(contents, lambda piece: self._keep(piece, pack), THREADS)

    def _keep(self, content: memoryview, pack: bool) -> tuple[str, int]:
        known = familiar.seems(content)
        frozen = bytes(content)  # a thread may change it: what is sent is to be what was digested
        name = digest([frozen])
        packed = packed_content(memoryview(frozen)) if pack else None
        if packed is not None:
            name, frozen = name + PACKED, packed
        with self._locks.setdefault(name, threading.Lock()):  # the same content may be there several times
            there = name in self._sent or (known and self._objects.has(_object(name), len(frozen)))
            if not there:
                faults.point("checkpoint.blob")
                self._objects.put(_object(name), frozen)
            self._sent.add(name)
        familiar.note(content)
        return name, 0 if there else len(frozen)

    def content(self, pieces: Sequence[str]) -> bytes:
        return b"".join(side_by_side(self._unpacked, pieces, THREADS))

    def _unpacked(self, name: str) -> bytes:
        found = io.BytesIO()
        self._get(name, found)
        return unpacked(name, found.getvalue())

    def buffers(self, kept: Sequence[tuple[Sequence[str], int]]) -> list[memoryview]:
        folder = cache_folder()
        names = list(dict.fromkeys(name for pieces, _ in kept for name in pieces))
        side_by_side(lambda name: self._fetch(name, folder), names, THREADS)
        views = Blobs(folder, folder).buffers(kept)
        trim(folder)
        return views

    def _fetch(self, name: str, folder: Path) -> None:
        """The blob in a file of that folder, and sound."""
        path = folder / name
        if _sound(name, path):
            os.utime(path)
            return
        with NamedTemporaryFile(dir=folder, delete=False) as file:
            try:
                self._get(name, file)
                file.flush()
                check(name, Path(file.name).read_bytes())
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink()
                raise

    def _get(self, name: str, file: IO[bytes]) -> None:
        try:
            self._objects.get(_object(name), file)
        except FileNotFoundError:
            raise SnapshotDamaged(f"a part of the checkpoint, {name}, is not at {self._objects}") from None


def _object(name: str) -> str:
    return f"blobs/{name}"


def _sound(name: str, path: Path) -> bool:
    """Whether the blob is there from an earlier time, as it was."""
    try:
        return agrees(name, path.read_bytes())
    except (FileNotFoundError, LookupError):
        return False
