"""The files of snapshots: of each execution a folder with its checkpoints and links to its blobs, and the blobs' pool.

A blob in the pool to which no execution has a link is removed. Whoever adds a link at that very moment keeps the file,
or finds it gone and writes it anew: no lock is needed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from flownb import faults
from flownb.core.model import Json

POOL = "pool"
BLOBS = "blobs"


@dataclass(frozen=True)
class Usage:
    """What an execution takes on disk, in bytes, and how much of that it shares with others."""

    size: int
    shared: int


class AnySnapshots(Protocol):
    """The snapshots of all executions, wherever they are; each method is as in ``Snapshots``."""

    def told(self, execution_id: str) -> dict[str, Json]: ...
    def make(self, execution_id: str) -> None: ...
    def forget(self, execution_id: str, file: str | None, blobs: Iterable[str]) -> None: ...
    def remove(self, execution_id: str) -> None: ...
    def copy(self, execution_id: str, file: str, blobs: Iterable[str], to: str) -> None: ...
    def usage(self, execution_id: str, stored: int) -> Usage: ...
    def size(self) -> int: ...
    def mark(self) -> int: ...
    def changed(self, since: int) -> Iterator[str]: ...
    def untidy(self, used: Mapping[str, Collection[str]], began: int) -> list[str]: ...
    def tidy(self, execution_id: str, used: Collection[str]) -> None: ...
    def shelves(self) -> list[str]: ...
    def sweep(self, shelf: str) -> None: ...
    def reading(self, execution_id: str, names: Collection[str]) -> AbstractContextManager[Path]: ...
    def filling(self, execution_id: str) -> AbstractContextManager[Path]: ...


@dataclass(frozen=True)
class Snapshots:
    """The folder of all snapshots."""

    root: Path

    @property
    def pool(self) -> Path:
        return self.root / POOL

    @property
    def gone(self) -> Path:
        """While a backup is made, what is removed is kept here: the backup may need it."""
        return self.root.parent / "backup" / "gone"

    def folder(self, execution_id: str) -> Path:
        return self.root / execution_id

    def file(self, execution_id: str, name: str) -> Path:
        return self.folder(execution_id) / name

    def told(self, execution_id: str) -> dict[str, Json]:
        """What a kernel is told of where they are."""
        return {"folder": str(self.folder(execution_id)), "pool": str(self.pool)}

    def make(self, execution_id: str) -> None:
        """The folder of an execution; raises ``OSError``."""
        self.folder(execution_id).mkdir(mode=0o700, parents=True, exist_ok=True)

    def forget(self, execution_id: str, file: str | None, blobs: Iterable[str]) -> None:
        """Remove a checkpoint, and of its blobs those that no other of this execution needs."""
        if file is not None:
            self._unlink(execution_id, self.file(execution_id, file))
            faults.point("checkpoint.forgetting")
        for name in blobs:
            self._unlink(execution_id, self.folder(execution_id) / BLOBS / name)
            self._release(name)

    def remove(self, execution_id: str) -> None:
        """Remove all checkpoints of an execution."""
        names = _names(self.folder(execution_id) / BLOBS)
        if self.gone.is_dir():
            for file in _unknown(self.folder(execution_id), ()):
                self._unlink(execution_id, file)
        shutil.rmtree(self.folder(execution_id), ignore_errors=True)
        for name in names:
            self._release(name)

    def copy(self, execution_id: str, file: str, blobs: Iterable[str], to: str) -> None:
        """Give another execution the same checkpoint; raises ``OSError``."""
        (self.folder(to) / BLOBS).mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in blobs:
            link(self.folder(execution_id) / BLOBS / name, self.folder(to) / BLOBS / name)
        link(self.file(execution_id, file), self.file(to, file))

    def usage(self, execution_id: str, stored: int) -> Usage:
        """What the files of an execution take, whatever had to be ``stored`` for its checkpoints.

        A blob's links are its own, the pool's and those of others.
        """
        size = shared = 0
        for file in _files(self.folder(execution_id)):
            with suppress(FileNotFoundError):
                status = file.stat()
                size += status.st_size
                shared += status.st_size if status.st_nlink > 2 else 0
        return Usage(size, shared)

    def size(self) -> int:
        """Bytes of all files, those that are linked to each other once."""
        sizes = {}
        for parent, _, names in os.walk(self.root):
            for name in names:
                with suppress(FileNotFoundError):  # just removed
                    status = Path(parent, name).lstat()
                    sizes[status.st_dev, status.st_ino] = status.st_size
        return sum(sizes.values())

    def mark(self) -> int:
        """The present moment, by the clock of the file system, in ns."""
        os.utime(self.root)
        return self.root.stat().st_mtime_ns

    def changed(self, since: int) -> Iterator[str]:
        """The ids of executions in whose folders files came or went since a moment, found as it is read."""
        with os.scandir(self.root) as found:
            yield from (entry.name for entry in found if entry.name != POOL and _changed_at(entry.path) >= since)

    def untidy(self, used: Mapping[str, Collection[str]], began: int) -> list[str]:
        """Which of these executions have files of other names than those in use; none that was made since ``began``."""
        found = []
        for execution_id, names in used.items():
            folder = self.folder(execution_id)
            with suppress(FileNotFoundError):
                if (not names or _unknown(folder, names)) and _changed_at(str(folder)) < began:
                    found.append(execution_id)
        return found

    def tidy(self, execution_id: str, used: Collection[str]) -> None:
        """Remove all but what is in use; only while nothing of the execution is saved."""
        if not used:
            self.remove(execution_id)
            return
        for file in _unknown(self.folder(execution_id), used):
            self._unlink(execution_id, file)
            self._release(file.name)

    def _unlink(self, execution_id: str, file: Path) -> None:
        if self.gone.is_dir():
            kept = self.gone if file.parent.name == BLOBS else self.gone / execution_id
            with suppress(FileNotFoundError):  # the file is gone, or the backup is done
                kept.mkdir(mode=0o700, exist_ok=True)
                link(file, kept / file.name)
        file.unlink(missing_ok=True)

    def shelves(self) -> list[str]:
        """The parts of the pool."""
        return _names(self.pool)

    def sweep(self, shelf: str) -> None:
        """Remove its blobs that nobody needs; whoever saves meanwhile has what it needs, or writes it again."""
        for name in _names(self.pool / shelf):
            self._release(name)

    def take(self, execution_id: str, file: Path, name: str) -> None:
        """Make a file, whose content was checked, a blob of an execution; raises ``OSError``."""
        own, shelf = self.folder(execution_id) / BLOBS / name, self.pool / name[:2]
        try:
            os.link(shelf / name, own)
            file.unlink()
        except OSError:  # new to the pool, or here already, or a file system without links
            file.replace(own)
            with suppress(OSError):
                shelf.mkdir(mode=0o700, parents=True, exist_ok=True)
                os.link(own, shelf / name)

    @contextmanager
    def reading(self, execution_id: str, names: Collection[str]) -> Iterator[Path]:
        """A folder with the files of an execution that have these names, and maybe others."""
        yield self.folder(execution_id)

    @contextmanager
    def filling(self, execution_id: str) -> Iterator[Path]:
        """A folder whose files become those of the execution."""
        yield self.folder(execution_id)

    def _release(self, name: str) -> None:
        blob = self.pool / name[:2] / name
        with suppress(FileNotFoundError):
            if blob.stat().st_nlink == 1:
                blob.unlink()


def all_files(folder: Path) -> list[Path]:
    """Those of an execution: blobs first, as they stand in a checkpoint."""
    found = [file for file in _files(folder) if not file.name.startswith(".")]
    return sorted(found, key=lambda file: (file.parent == folder, file))


def _files(folder: Path) -> Iterator[Path]:
    """Those of a folder and its folders; ``Path.rglob`` raises where one of them is removed meanwhile."""
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name) for name in names)


def _changed_at(folder: str) -> int:
    """When a file last came into a folder, or into its blobs, or left them; by the clock of the file system, in ns."""
    found = 0
    for path in (folder, f"{folder}/{BLOBS}"):
        with suppress(FileNotFoundError):
            found = max(found, os.stat(path).st_mtime_ns)  # noqa: PTH116 - a hundred thousand times
    return found


def _unknown(folder: Path, known: Collection[str]) -> list[Path]:
    """Files of a folder, and blobs in it, with other names."""
    names = _names(folder)
    blobs = _names(folder / BLOBS) if BLOBS in names else []
    files = [folder / name for name in names if name != BLOBS and name not in known]
    return files + [folder / BLOBS / name for name in blobs if name not in known]


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as found:
            return [entry.name for entry in found]
    except FileNotFoundError:
        return []


def link(file: Path, to: Path) -> None:
    """The same file under another name, or a copy on a file system without links."""
    with suppress(FileExistsError):
        try:
            os.link(file, to)
        except FileExistsError:
            raise
        except OSError:
            shutil.copy2(file, to)
