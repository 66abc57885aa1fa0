"""A data folder as one tar file, written while its server is at work: database, key, snapshots, and a manifest.

The database is copied first, as of one moment; then what its checkpoints name. A file that is deleted meanwhile is kept
aside (``Snapshots.gone``). The manifest comes last and has all digests: without it a file is no backup.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

from flownb import __version__, faults
from flownb.core.errors import FlowNBError
from flownb.core.jsonvalue import dumps
from flownb.core.model import Json
from flownb.store.folder import DataFolder
from flownb.store.snapshots import BLOBS

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "flownb.db"
PIECE = 1024 * 1024
PAGES = 4_000
"""Pages of the database between two moments at which other threads have their turn."""


class CannotBackUp(FlowNBError):
    """There is no backup of this store, or another one is being made."""

    reason = "no_backup"


def begin(folder: DataFolder) -> None:
    """From now on keep what is deleted, and copy the database; raises ``CannotBackUp`` or ``OSError``."""
    if not folder.database.exists():
        raise CannotBackUp(
            f"the store is no file in {folder.root}: back it up with the means of its database, such as pg_dump, "
            f"and {folder.root} with its key and snapshots as it is, after that"
        )
    end(folder)
    folder.snapshots.gone.mkdir(mode=0o700, parents=True)
    copy_database(folder.database, folder.backup / DATABASE)
    faults.point("backup.copied")


def end(folder: DataFolder) -> None:
    """Nothing is kept any more; after a crash too."""
    shutil.rmtree(folder.backup, ignore_errors=True)


def copy_database(path: Path, to: Path) -> None:
    """As it is at one moment, while others write: they are not waited for, with WAL nor do they wait."""
    os.close(os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as source, closing(sqlite3.connect(to)) as target:
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the moment
            source.backup(target, pages=PAGES)
    except sqlite3.Error as error:
        raise CannotBackUp(f"the database {path} cannot be copied: {error}") from None


def pieces(folder: DataFolder, at: str | None) -> Iterator[bytes]:
    """The backup from its first byte to its last, after ``begin``; raises ``OSError``."""
    files: dict[str, Json] = {}
    missing: list[Json] = []
    for name, places in _wanted(folder):
        file = _opened(places)
        if file is None:
            missing.append(name)
            continue
        with file:
            digest, size = hashlib.sha256(), os.fstat(file.fileno()).st_size
            yield _header(name, size)
            for piece in iter(lambda file=file: file.read(PIECE), b""):  # type: ignore[misc]
                digest.update(piece)
                yield piece
            yield _padding(size)
            files[name] = {"sha256": digest.hexdigest(), "size": size}
    about = {"format": FORMAT, "flownb": __version__, "at": at, **_counts(folder)}
    manifest = dumps({**about, "missing": missing, "files": files}).encode()
    yield _header(MANIFEST, len(manifest)) + manifest + _padding(len(manifest)) + bytes(2 * tarfile.BLOCKSIZE)


def checkpoints(database: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Of each checkpoint in a database its execution, its file and its blobs."""
    query = "SELECT execution, file, blobs FROM checkpoints WHERE file IS NOT NULL"
    uri = f"{database.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, check_same_thread=False)) as db:  # by one thread after the other
        for execution, file, blobs in db.execute(query):
            yield execution, file, json.loads(blobs)


def _wanted(folder: DataFolder) -> Iterator[tuple[str, list[Path]]]:
    """What goes into the backup: under which name, and where it may be. The key comes after the database.

    So it has every key that the database knows of.
    """
    snapshots = folder.snapshots
    yield DATABASE, [folder.backup / DATABASE]
    yield folder.key.name, [folder.key]
    yield folder.port.name, [folder.port]
    seen: set[str] = set()
    for execution, file, blobs in checkpoints(folder.backup / DATABASE):
        yield f"snapshots/{execution}/{file}", [snapshots.file(execution, file), snapshots.gone / execution / file]
        for name in blobs:
            if name not in seen:
                seen.add(name)
                own = snapshots.folder(execution) / BLOBS / name
                yield f"pool/{name}", [own, snapshots.pool / name[:2] / name, snapshots.gone / name]


def _opened(places: list[Path]) -> IO[bytes] | None:
    for place in places:
        try:
            return place.open("rb")
        except FileNotFoundError:
            continue
    return None


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info.tobuf(tarfile.PAX_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)


def _counts(folder: DataFolder) -> dict[str, Json]:
    with closing(sqlite3.connect(folder.backup / DATABASE)) as db:
        executions = db.execute("SELECT count(*) FROM executions").fetchone()[0]
        [schema] = db.execute("SELECT count(*) FROM _sqlite_migrations WHERE migration_set = 'flownb'").fetchone()
    return {"executions": executions, "schema": schema}
