"""The snapshots of all executions at a URL, by fsspec: below it, each execution has what would be its folder.

Objects have no links that could be counted, so that nothing is shared between executions: what one has, goes with it.
All methods wait for the network, and raise ``OSError``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flownb.core.model import Json
from flownb.store.snapshots import BLOBS, Usage, all_files

THREADS = 8
MARK = ".mark"
"""Written to learn what time it is where the objects are."""

_TIMES = ("LastModified", "last_modified", "mtime", "updated", "created")
_UNKNOWN = 1 << 63


class Unusable(Exception):
    """A URL that cannot be used here; the message says what to do."""


@dataclass(frozen=True)
class Bucket:
    """The snapshots at ``url``; ``options`` are fsspec's, and ``aside`` is a folder for copies that are needed here."""

    url: str
    options: Mapping[str, Any]
    aside: Path
    _opened: tuple[Any, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises ``Unusable``."""
        local = {"auto_mkdir": True} if self.url.startswith(("file:", "local:")) else {}
        options = {"use_listings_cache": False, **local, **self.options}
        try:
            opened = import_module("fsspec.core").url_to_fs(self.url.rstrip("/"), **options)
        except (ImportError, ValueError, TypeError) as error:
            raise Unusable(f"snapshots cannot be kept at {self.url}: {error}") from None
        object.__setattr__(self, "_opened", opened)

    def told(self, execution_id: str) -> dict[str, Json]:
        """What a kernel is told of where they are."""
        return {"url": f"{self.url.rstrip('/')}/{execution_id}", "options": dict(self.options)}

    def make(self, execution_id: str) -> None:
        """Nothing is to be made beforehand."""

    def forget(self, execution_id: str, file: str | None, blobs: Iterable[str]) -> None:
        """Remove a checkpoint, and of its blobs those that no other of this execution needs."""
        self._remove(execution_id, [*([file] if file is not None else []), *(f"{BLOBS}/{name}" for name in blobs)])

    def remove(self, execution_id: str) -> None:
        """Remove all checkpoints of an execution."""
        self._remove(execution_id, self._listed(execution_id))

    def copy(self, execution_id: str, file: str, blobs: Iterable[str], to: str) -> None:
        """Give another execution the same checkpoint."""
        self._each(lambda name: self._copied(execution_id, name, to), [*(f"{BLOBS}/{name}" for name in blobs), file])

    def usage(self, execution_id: str, stored: int) -> Usage:
        """What its checkpoints say they took: whoever looks at an execution is not to wait for the network."""
        return Usage(stored, 0)

    def size(self) -> int:
        """Bytes of all."""
        with self._files() as files, suppress(FileNotFoundError):
            return int(files.du(self._root, total=True))
        return 0

    def mark(self) -> int:
        """The present moment, by the clock of where the objects are, in ns."""
        with self._files() as files:
            files.pipe_file(f"{self._root}/{MARK}", b"\n")
            return _modified(files.info(f"{self._root}/{MARK}"))

    def changed(self, since: int) -> Iterator[str]:
        """The ids of all executions that have something here: what is below a URL has no time of its own."""
        with self._files() as files:
            try:
                names = [str(path).rstrip("/").rpartition("/")[2] for path in files.ls(self._root, detail=False)]
            except FileNotFoundError:
                names = []
        yield from (name for name in names if name != MARK)

    def untidy(self, used: Mapping[str, Collection[str]], began: int) -> list[str]:
        """Which of these executions have objects of other names than those in use; none changed since ``began``."""

        def look(execution_id: str) -> bool:
            found = self._listed(execution_id)
            names = used[execution_id]
            untidy = not names or any(path.rpartition("/")[2] not in names for path in found)
            return bool(found) and untidy and max(found.values()) < began

        return [execution_id for execution_id, untidy in zip(used, self._each(look, used), strict=True) if untidy]

    def tidy(self, execution_id: str, used: Collection[str]) -> None:
        """Remove all but what is in use; only while nothing of the execution is saved."""
        found = self._listed(execution_id)
        self._remove(execution_id, [name for name in found if name.rpartition("/")[2] not in used])

    def shelves(self) -> list[str]:
        """There is no pool."""
        return []

    def sweep(self, shelf: str) -> None:
        """There is no pool."""

    @contextmanager
    def reading(self, execution_id: str, names: Collection[str]) -> Iterator[Path]:
        """A folder with the files of an execution that have these names, for as long as the block lasts."""
        with TemporaryDirectory(dir=self.aside, prefix="fetched-") as folder:
            (Path(folder) / BLOBS).mkdir()
            wanted = [name for name in self._listed(execution_id) if name.rpartition("/")[2] in names]

            def fetch(name: str) -> None:
                with self._files() as files:
                    files.get_file(self._path(execution_id, name), str(Path(folder) / name))

            self._each(fetch, wanted)
            yield Path(folder)

    @contextmanager
    def filling(self, execution_id: str) -> Iterator[Path]:
        """A folder whose files become those of the execution at the end of the block."""
        with TemporaryDirectory(dir=self.aside, prefix="filling-") as folder:
            yield Path(folder)

            def send(file: Path) -> None:
                with self._files() as files:
                    name = file.relative_to(folder).as_posix()
                    files.put_file(str(file), self._path(execution_id, name))

            self._each(send, all_files(Path(folder)))

    @property
    def _root(self) -> str:
        return self._opened[1]

    def _path(self, execution_id: str, name: str) -> str:
        return f"{self._root}/{execution_id}/{name}"

    def _listed(self, execution_id: str) -> dict[str, int]:
        """The names of its objects, with when each was written, in ns."""
        folder = f"{self._root}/{execution_id}"
        with self._files() as files, suppress(FileNotFoundError):
            found = files.find(folder, detail=True)
            return {path[len(folder) + 1 :]: _modified(info) for path, info in found.items() if path != folder}
        return {}

    def _remove(self, execution_id: str, names: Iterable[str]) -> None:
        paths = [self._path(execution_id, name) for name in names]
        with self._files() as files:
            for path in paths if len(paths) < 2 else ():
                with suppress(FileNotFoundError):
                    files.rm_file(path)
            if len(paths) > 1:
                with suppress(FileNotFoundError):
                    files.rm(paths)

    def _copied(self, execution_id: str, name: str, to: str) -> None:
        with self._files() as files:
            files.cp_file(self._path(execution_id, name), self._path(to, name))

    def _each(self, action: Callable[[Any], Any], values: Iterable[Any]) -> list[Any]:
        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(action, values))

    @contextmanager
    def _files(self) -> Iterator[Any]:
        """The file system; what its library raises becomes an ``OSError``."""
        try:
            yield self._opened[0]
        except OSError:
            raise
        except Exception as error:  # of any library, by any name
            raise OSError(f"{self.url}: {type(error).__name__}: {error}") from None


def _modified(info: Mapping[str, Any]) -> int:
    """When an object was written, in ns; far ahead where its library does not say."""
    found = next((info[name] for name in _TIMES if name in info), None)
    if isinstance(found, str):
        found = datetime.fromisoformat(found)
    if isinstance(found, datetime):
        found = found.timestamp()
    return round(found * 1e9) if isinstance(found, float | int) else _UNKNOWN
