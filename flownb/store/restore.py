"""A data folder out of a backup: all of it, checked, or nothing."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

from sqlite_utils import Database

from flownb import faults
from flownb.core.errors import FlowNBError
from flownb.store.backup import DATABASE, FORMAT, MANIFEST, PIECE, checkpoints
from flownb.store.folder import DataFolder
from flownb.store.snapshots import BLOBS, link
from flownb.store.upgrading import TooNew, demand_known

_NAME = re.compile(r"flownb\.db|key\.json|port|snapshots/[0-9a-zA-Z]+/\w[\w.-]*|pool/\w[\w.-]*", re.ASCII)


class CannotRestore(FlowNBError):
    """The file is no whole backup, or there is no place for it; nothing was changed."""

    reason = "cannot_restore"


def check(path: Path) -> dict[str, Any]:
    """The manifest of a backup in which everything is as it was written; raises ``CannotRestore``."""
    with _reading(path) as (packed, manifest):
        for name, _ in _contents(packed, manifest):
            assert name in manifest["files"]
    return manifest


def restore(path: Path, to: Path) -> dict[str, Any]:
    """Make the data folder ``to``; returns the manifest. Raises ``CannotRestore`` or ``OSError``."""
    if to.exists() and any(to.iterdir()):
        raise CannotRestore(f"{to} is not empty: a backup is restored into a data folder that is, or is not there")
    aside = to.with_name(f".{to.name}.restoring")
    with _alone(aside):
        with _reading(path) as (packed, manifest):
            for name, content in _contents(packed, manifest, aside):
                assert content is not None, name
        _complete(DataFolder(aside), set(manifest["missing"]))
        os.sync()
        faults.point("restore.unpacked")
        try:
            aside.rename(to)
        except OSError as error:
            raise CannotRestore(f"{to} is in use meanwhile ({error.strerror}): nothing was restored") from None
        faults.point("restore.placed")
        _sync(to.parent)
    return manifest


@contextmanager
def _alone(aside: Path) -> Iterator[None]:
    """A new folder for what is unpacked; what a restore before this one left there goes."""
    aside.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(aside, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotRestore(f"another restore is at work in {aside}") from None
        for left in list(aside.iterdir()):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        try:
            yield
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
    finally:
        os.close(lock)


@contextmanager
def _reading(path: Path) -> Iterator[tuple[tarfile.TarFile, dict[str, Any]]]:
    try:
        with tarfile.open(path, "r:") as packed:
            names = packed.getnames()
            if not names or names[-1] != MANIFEST:
                raise CannotRestore(f"{path} was not written by `flownb backup`, or not to its end")
            file = packed.extractfile(MANIFEST)
            assert file is not None
            manifest = json.load(file)
            if manifest["format"] != FORMAT:
                raise CannotRestore(f"{path} has format {manifest['format']}, and this version reads format {FORMAT}")
            if sorted(names) != sorted([*manifest["files"], MANIFEST]):
                raise CannotRestore(f"{path} does not hold what its manifest names")
            yield packed, manifest
    except (tarfile.TarError, ValueError, KeyError, TypeError, EOFError) as error:
        raise CannotRestore(f"{path} cannot be read as a backup: {error}") from None
    except FileNotFoundError:
        if path.exists():
            raise
        raise CannotRestore(f"there is no file {path}") from None


def _contents(
    packed: tarfile.TarFile, manifest: dict[str, Any], aside: Path | None = None
) -> Iterator[tuple[str, Path | None]]:
    """Each file, checked, and where it was put below ``aside``."""
    for member in packed:
        if member.name == MANIFEST:
            continue
        if not member.isfile() or not _NAME.fullmatch(member.name):
            raise CannotRestore(f"the backup holds {member.name!r}, which has no place in a data folder")
        source = packed.extractfile(member)
        assert source is not None
        target = _place(aside, member.name) if aside is not None else None
        about = manifest["files"][member.name]
        if _copied(source, target) != (about["sha256"], about["size"]):
            raise CannotRestore(f"{member.name} in the backup is not what was written there")
        yield member.name, target


def _place(aside: Path, name: str) -> Path:
    kind, _, rest = name.partition("/")
    place = aside / "snapshots" / "pool" / rest[:2] / rest if kind == "pool" else aside / name
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def _copied(source: IO[bytes], target: Path | None) -> tuple[str, int]:
    """Digest and size of what was read, and written to ``target``, for its owner alone."""
    digest, size = hashlib.sha256(), 0
    with open(os.devnull if target is None else target, "wb", opener=_private) as file:
        for piece in iter(lambda: source.read(PIECE), b""):
            digest.update(piece)
            size += len(piece)
            file.write(piece)
    return digest.hexdigest(), size


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _complete(folder: DataFolder, missing: set[str]) -> None:
    """Give each execution its blobs, and see that the whole is one; raises ``CannotRestore``."""
    folder.make()
    try:
        with closing(sqlite3.connect(folder.database)) as connection:
            [found] = connection.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                raise CannotRestore(f"the database in the backup is damaged: {found}")
            demand_known(Database(connection, execute_plugins=False))
    except (sqlite3.Error, TooNew) as error:
        raise CannotRestore(f"the database in the backup cannot be used: {error}") from None
    snapshots = folder.snapshots
    for execution, file, blobs in checkpoints(folder.root / DATABASE):
        own = snapshots.folder(execution) / BLOBS
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
        wanted = [(f"snapshots/{execution}/{file}", snapshots.file(execution, file))]
        for name in blobs:
            pooled = snapshots.pool / name[:2] / name
            wanted.append((f"pool/{name}", pooled))
            if pooled.exists():
                link(pooled, own / name)
        for name, place in wanted:
            if not place.exists() and name not in missing:
                raise CannotRestore(f"{name} is not in the backup, and an execution needs it")


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    os.fsync(opened)
    os.close(opened)
