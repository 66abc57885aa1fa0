"""Objects of snapshots that come in by the network: written aside, and here only when they are what they should be."""

from __future__ import annotations

import mmap
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import zstandard

from flownb.core.hashing import CHUNK, NAME, PACKED, agrees
from flownb.store.snapshots import BLOBS, Snapshots

CHECKPOINT = ".snapshot"
OBJECT = re.compile(rf"{BLOBS}/{NAME.pattern}|(?:open-[0-9a-f]{{16}}|\d{{1,6}}-[0-9a-f]{{8}})\{CHECKPOINT}", re.ASCII)
"""What their names look like."""

DIGEST = "Flownb-Digest"
"""The header with the digest of a checkpoint; the name of a blob says its own."""

MOST = {BLOBS: CHUNK, CHECKPOINT: 64 * 1024 * 1024}
"""Bytes of an object of each kind."""


class NotSound(Exception):
    """What came is not what was announced; it is gone."""


@dataclass(frozen=True)
class Incoming:
    """An object of an execution, under a name that is an ``OBJECT``."""

    snapshots: Snapshots
    execution: str
    name: str

    @property
    def most(self) -> int:
        return MOST[CHECKPOINT if self.name.endswith(CHECKPOINT) else BLOBS]

    @property
    def _file(self) -> Path:
        return self.snapshots.folder(self.execution) / self.name

    @property
    def _part(self) -> Path:
        return self._file.with_name(f".{self._file.name}.part")

    def open(self) -> tuple[IO[bytes], int]:
        """What has come so far, to add to it, and its size. Raises ``OSError``."""
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.fdopen(os.open(self._part, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab", buffering=0)
        return file, os.fstat(file.fileno()).st_size

    def size(self) -> tuple[bool, int]:
        """Whether it is here as a whole, and how much of it is."""
        for whole, path in ((True, self._file), (False, self._part)):
            with suppress(FileNotFoundError):
                return whole, path.stat().st_size
        return False, 0

    def read(self) -> tuple[IO[bytes], int]:
        """Raises ``FileNotFoundError``."""
        file = self._file.open("rb")
        return file, os.fstat(file.fileno()).st_size

    def finish(self, size: int, digest: str) -> None:
        """Count it as here, lasting, and shared with others that have the same.

        Raises ``NotSound`` where it is not what was announced, and ``OSError``.
        """
        if self._part.stat().st_size != size or not self._sound(digest):
            self._part.unlink(missing_ok=True)
            raise NotSound("what came is not what was announced: send it anew")
        with self._part.open("rb+") as file:
            os.fsync(file.fileno())
        if self.name.startswith(BLOBS):
            self.snapshots.take(self.execution, self._part, self._file.name)
            return
        _sync(self._file.parent / BLOBS)  # the names of all blobs it needs
        self._part.replace(self._file)
        _sync(self._file.parent)

    def _sound(self, digest: str) -> bool:
        name = self._file.name if self.name.startswith(BLOBS) else digest
        with self._part.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if not NAME.fullmatch(name):
                return False
            if not name.endswith(PACKED):
                return agrees(name, content)
            try:
                unpacked = zstandard.ZstdDecompressor().stream_reader(memoryview(content)).read(CHUNK + 1)
            except zstandard.ZstdError:
                return False
            return len(unpacked) <= CHUNK and agrees(name.removesuffix(PACKED), unpacked)


def _sync(folder: Path) -> None:
    """Make the names in a folder lasting, where there is one."""
    with suppress(FileNotFoundError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
