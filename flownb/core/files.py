"""A new file in a folder: which files count, and what the workflow is told of one."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from flownb.core.model import Json
from flownb.core.settings import Watch
from flownb.core.times import iso

TYPE = "file"
"""The type of a trigger."""


@dataclass(frozen=True)
class Stamp:
    """A file's size in bytes and when it was modified, in ns since 1970: as long as both stay, it is the same."""

    size: int
    modified_ns: int


def counts(name: str, pattern: str) -> bool:
    """Whether a file of that name starts anything: hidden and temporary ones do not, whatever the pattern."""
    temporary = name.startswith(".") or name.endswith(("~", ".part"))
    return not temporary and fnmatchcase(name, pattern)


def path_of(watch: Watch, name: str) -> str:
    """The path of a file in the folder, as the notebook would open it."""
    return PurePosixPath(watch.folder, name).as_posix()


def event(path: str, stamp: Stamp) -> dict[str, Json]:
    """What a step finds in its trigger."""
    return {
        "path": path,
        "name": PurePosixPath(path).name,
        "size": stamp.size,
        "modified_at": iso(stamp.modified_ns // 1_000_000),
        "body": None,
    }
