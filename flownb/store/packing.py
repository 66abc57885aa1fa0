"""One execution as one file: a zip with the rows of its record, its snapshots, and a manifest with their digests."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from flownb import __version__
from flownb.core.errors import FlowNBError
from flownb.core.jsonvalue import dumps
from flownb.core.model import Json, Status
from flownb.store import journal
from flownb.store.aggregate import load
from flownb.store.change import NotFound
from flownb.store.engine import Database
from flownb.store.snapshots import BLOBS, all_files

FORMAT = 1
MANIFEST = "manifest.json"
PIECE = 1024 * 1024

TABLES = {
    "versions": "SELECT v.* FROM versions v JOIN executions e ON e.version = v.version WHERE e.id = ?",
    "executions": "SELECT * FROM executions WHERE id = ?",
    **{
        name: f"SELECT * FROM {name} WHERE execution = ? ORDER BY seq"  # noqa: S608 - constants
        for name in ("pauses", "journal")
    },
    **{
        name: f"SELECT * FROM {name} WHERE execution = ?"  # noqa: S608 - constants
        for name in ("steps", "outputs", "checkpoints", "waits", "usage", "usage_steps")
    },
    "links": "SELECT DISTINCT step, run, attempt FROM links WHERE execution = ?",
}
"""The rows of a record, in the order in which they can be put down again."""

_NAME = re.compile(rf"record/(?:{'|'.join(TABLES)})\.jsonl|snapshots/(?:{BLOBS}/)?\w[\w.-]*", re.ASCII)


class CannotExport(FlowNBError):
    """The execution cannot be taken away now."""

    reason = "not_at_rest"


class CannotImport(FlowNBError):
    """A file that is no execution, or was altered or cut off; nothing was taken."""

    reason = "bad_file"


class _Hashed:
    """Writes into an entry, and digests what it writes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, piece: bytes) -> None:
        self._file.write(piece)
        self._digest.update(piece)
        self._size += len(piece)

    @property
    def about(self) -> dict[str, Json]:
        return {"sha256": self._digest.hexdigest(), "size": self._size}


def pack(db: Database, folder: Path, execution_id: str, origin: str, at: str | None, path: Path) -> None:
    """Write an execution that is at rest to ``path``; raises ``NotFound``, ``CannotExport`` or ``OSError``.

    ``folder`` has the files of its snapshots. Rows and files go through in pieces. The database is that of a reader: it
    does not change meanwhile.
    """
    execution = load(db, execution_id)
    if execution is None:
        raise NotFound(execution_id)
    if execution.status in (Status.RUNNING, Status.QUEUED) or execution.moved_to is not None:
        how = "moved" if execution.moved_to is not None else execution.status
        raise CannotExport(f"execution {execution_id} is {how}: only what is paused or over can be exported")
    latest = journal.latest(db, execution_id)
    manifest: dict[str, Json] = {
        "format": FORMAT,
        "flownb": __version__,
        "execution": execution_id,
        "status": execution.status,
        "origin": origin,
        "exported_at": at,
        "head": f"{latest.seq}:{latest.mac}",
    }
    files: dict[str, Json] = {}
    with ZipFile(path, "w", ZIP_DEFLATED) as packed:
        for table, query in TABLES.items():
            with packed.open(f"record/{table}.jsonl", "w", force_zip64=True) as entry:
                hashed = _Hashed(entry)
                cursor = db.execute(query, (execution_id,))
                names = [column[0] for column in cursor.description]
                for row in cursor:
                    hashed.write(dumps(dict(zip(names, row, strict=True))).encode() + b"\n")
            files[f"record/{table}.jsonl"] = hashed.about
        packed.compression = ZIP_STORED  # blobs are packed where that is worth it
        for file in all_files(folder):
            name = f"snapshots/{file.relative_to(folder).as_posix()}"
            with file.open("rb") as source, packed.open(name, "w", force_zip64=True) as entry:
                hashed = _Hashed(entry)
                for piece in iter(lambda: source.read(PIECE), b""):
                    hashed.write(piece)
            files[name] = hashed.about
        packed.writestr(MANIFEST, dumps({**manifest, "files": files}))


class Packed:
    """A file that was received; close it after use."""

    def __init__(self, path: Path) -> None:
        """Raises ``CannotImport`` unless everything in it is as its manifest says."""
        try:
            self._zip = ZipFile(path)
        except (BadZipFile, OSError) as error:
            raise CannotImport(f"this is no file that `flownb export` has written, or not all of it: {error}") from None
        try:
            self.manifest = self._read_manifest()
            self._check()
        except CannotImport:
            self.close()
            raise
        except (BadZipFile, OSError, ValueError, KeyError, TypeError, EOFError, NotImplementedError) as error:
            self.close()
            raise CannotImport(f"the file cannot be read: {error}") from None

    def close(self) -> None:
        self._zip.close()

    @property
    def execution(self) -> str:
        return str(self.manifest["execution"])

    def _read_manifest(self) -> dict[str, Any]:
        if MANIFEST not in self._zip.namelist():
            raise CannotImport(f"the file has no {MANIFEST}: it was not written by `flownb export`, or not to its end")
        with self._zip.open(MANIFEST) as entry:
            manifest = json.loads(entry.read(64 * PIECE))
        if manifest["format"] != FORMAT:
            raise CannotImport(f"the file has format {manifest['format']}, and this version reads format {FORMAT}")
        if not re.fullmatch(r"[0-9a-zA-Z]{1,64}", manifest["execution"]):
            raise CannotImport("the manifest names no execution")
        found: dict[str, Any] = manifest
        return found

    def _check(self) -> None:
        files = self.manifest["files"]
        if sorted([*files, MANIFEST]) != sorted(self._zip.namelist()):
            raise CannotImport("the file does not hold what its manifest names")
        for name, about in files.items():
            if not _NAME.fullmatch(name):
                raise CannotImport(f"the file holds {name!r}, which has no place here")
            digest, size = hashlib.sha256(), 0
            for piece in self._pieces(name):
                digest.update(piece)
                size += len(piece)
                if size > about["size"]:
                    break
            if digest.hexdigest() != about["sha256"] or size != about["size"]:
                raise CannotImport(f"{name} in the file is not what was written there")

    def _pieces(self, name: str) -> Iterator[bytes]:
        with self._zip.open(name) as entry:
            yield from iter(lambda: entry.read(PIECE), b"")

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """The rows of a table, one after the other; raises ``CannotImport``."""
        with self._zip.open(f"record/{table}.jsonl") as entry:
            for line in entry:
                try:
                    row = json.loads(line)
                except ValueError:
                    row = None
                if not isinstance(row, dict):
                    raise CannotImport(f"a row of {table} in the file is no object")
                yield row

    def unpack(self, folder: Path) -> None:
        """Write the snapshots into a folder; raises ``OSError``."""
        (folder / BLOBS).mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in self.manifest["files"]:
            if name.startswith("snapshots/"):
                with (folder / name.removeprefix("snapshots/")).open("wb") as target:
                    for piece in self._pieces(name):
                        target.write(piece)
