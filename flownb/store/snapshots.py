"""The files of snapshots: of each execution a folder with its checkpoints and links to its blobs, and the blobs' pool.

A blob in the pool to which no execution has a link is removed. Whoever adds a link at that very moment keeps the file,
or finds it gone and writes it anew: no lock is needed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flownb import faults

POOL = "pool"
BLOBS = "blobs"


@dataclass(frozen=True)
class Usage:
    """What an execution takes on disk, in bytes, and how much of that it shares with others."""

    size: int
    shared: int


@dataclass(frozen=True)
class Snapshots:
    """The folder of all snapshots."""

    root: Path

    @property
    def pool(self) -> Path:
        return self.root / POOL

    def folder(self, execution_id: str) -> Path:
        return self.root / execution_id

    def file(self, execution_id: str, name: str) -> Path:
        return self.folder(execution_id) / name

    def make(self, execution_id: str) -> None:
        """The folder of an execution; raises ``OSError``."""
        self.folder(execution_id).mkdir(mode=0o700, parents=True, exist_ok=True)

    def forget(self, execution_id: str, file: str | None, blobs: Iterable[str]) -> None:
        """Remove a checkpoint, and of its blobs those that no other of this execution needs."""
        if file is not None:
            self.file(execution_id, file).unlink(missing_ok=True)
            faults.point("checkpoint.forgetting")
        for name in blobs:
            (self.folder(execution_id) / BLOBS / name).unlink(missing_ok=True)
            self._release(name)

    def remove(self, execution_id: str) -> None:
        """Remove all checkpoints of an execution."""
        names = _names(self.folder(execution_id) / BLOBS)
        shutil.rmtree(self.folder(execution_id), ignore_errors=True)
        for name in names:
            self._release(name)

    def copy(self, execution_id: str, file: str, blobs: Iterable[str], to: str) -> None:
        """Give another execution the same checkpoint; raises ``OSError``."""
        (self.folder(to) / BLOBS).mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in blobs:
            _link(self.folder(execution_id) / BLOBS / name, self.folder(to) / BLOBS / name)
        _link(self.file(execution_id, file), self.file(to, file))

    def usage(self, execution_id: str) -> Usage:
        """What the files of an execution take; a blob's links are its own, the pool's and those of others."""
        size = shared = 0
        for file in self.folder(execution_id).rglob("*"):
            with suppress(FileNotFoundError):
                status = file.stat()
                if file.is_file():
                    size += status.st_size
                    shared += status.st_size if status.st_nlink > 2 else 0
        return Usage(size, shared)

    def tidy(self, known: dict[str, set[str]]) -> None:
        """Remove what a crash left behind; only while nothing is saved. ``known`` are the names each execution uses."""
        for folder in self.root.iterdir():
            if folder.name not in known and folder.name != POOL:
                shutil.rmtree(folder, ignore_errors=True)
            elif folder.name != POOL:
                _tidy_folder(folder, known[folder.name])
        for shelf in self.pool.iterdir() if self.pool.exists() else ():
            for name in _names(shelf):
                self._release(name)

    def _release(self, name: str) -> None:
        blob = self.pool / name[:2] / name
        with suppress(FileNotFoundError):
            if blob.stat().st_nlink == 1:
                blob.unlink()


def _tidy_folder(folder: Path, known: Collection[str]) -> None:
    for file in (*folder.iterdir(), *(folder / BLOBS / name for name in _names(folder / BLOBS))):
        if file.name not in known and file.name != BLOBS:
            file.unlink(missing_ok=True)


def _names(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()] if folder.exists() else []


def _link(file: Path, to: Path) -> None:
    """The same file under another name, or a copy on a file system without links."""
    with suppress(FileExistsError):
        try:
            os.link(file, to)
        except FileExistsError:
            raise
        except OSError:
            shutil.copy2(file, to)
