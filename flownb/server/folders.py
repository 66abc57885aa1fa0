"""A look at folders: which files are there, and how they are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from blake3 import blake3

from flownb.core.files import Stamp, counts, path_of
from flownb.core.settings import Watch
from flownb.store.files import Key


@dataclass(frozen=True)
class Place:
    """A folder that a workflow watches."""

    workflow: str
    folder: Path
    watch: Watch


@dataclass(frozen=True)
class File:
    """A file that counts: where it is, and how it was at the look."""

    file: Path
    stamp: Stamp


@dataclass
class Look:
    """What was seen: the files that count, and of all that could have been seen, what is not there any more.

    ``lost`` says that a folder itself is gone.
    """

    found: dict[Key, File] = field(default_factory=dict)
    gone: list[Key] = field(default_factory=list)
    back: list[Key] = field(default_factory=list)
    lost: bool = False


def look(places: list[Place], known: Mapping[Key, tuple[Stamp, bool]]) -> Look:
    """Blocks. Of a folder that cannot be read nothing is held to be gone."""
    seen = Look()
    present: set[Key] = set()
    listed: set[Key] = set()
    for place in places:
        try:
            entries = list(os.scandir(place.folder))
        except OSError:
            seen.lost |= not place.folder.exists()
            continue
        listed.add((place.workflow, _parent(path_of(place.watch, "x"))))
        present.update((place.workflow, path_of(place.watch, entry.name)) for entry in entries)
        seen.found.update(_files(place, entries))
    for key, (stamp, gone) in known.items():
        if not gone and key not in present and (key[0], _parent(key[1])) in listed:
            seen.gone.append(key)
        elif gone and key in seen.found and seen.found[key].stamp == stamp:
            seen.back.append(key)
    return seen


def digest(file: Path) -> str | None:
    """A name for the content of a file, None where it is gone. Blocks."""
    try:
        return str(blake3(max_threads=blake3.AUTO).update_mmap(file).hexdigest())
    except OSError:
        return None


def _files(place: Place, entries: list[os.DirEntry[str]]) -> Iterator[tuple[Key, File]]:
    for entry in entries:
        try:
            if counts(entry.name, place.watch.pattern) and entry.is_file():
                status = entry.stat()
                key = (place.workflow, path_of(place.watch, entry.name))
                yield key, File(Path(entry.path), Stamp(status.st_size, status.st_mtime_ns))
        except OSError:  # gone in that moment
            continue


def _parent(path: str) -> str:
    return PurePosixPath(path).parent.as_posix()
