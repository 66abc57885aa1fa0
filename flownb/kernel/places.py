"""Where the snapshots of an execution are: in a folder that this kernel sees, at a URL, or with the server."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from flownb.kernel import durable
from flownb.kernel.blobs import Blobs, Kept
from flownb.kernel.bucket import Bucket
from flownb.kernel.elsewhere import Elsewhere
from flownb.kernel.snapshot_errors import CheckpointMissing
from flownb.kernel.through_server import ThroughServer


class Place(Protocol):
    """Keeps the checkpoints of one execution, and their blobs."""

    def write(self, file: str, parts: Sequence[bytes | memoryview]) -> None:
        """A checkpoint, lasting when this returns; the blobs it needs are there. Raises ``OSError``."""

    def read(self, file: str) -> bytes:
        """A checkpoint, not checked yet; raises ``CheckpointMissing`` or ``PlaceUnreachable``."""

    def keep(self, contents: Sequence[Any], *, pack: bool) -> list[Kept]:
        """As ``Blobs.keep``."""

    def content(self, pieces: Sequence[str]) -> bytes:
        """As ``Blobs.content``."""

    def buffers(self, kept: Sequence[tuple[Sequence[str], int]]) -> list[memoryview]:
        """As ``Blobs.buffers``."""


class Folder(Blobs):
    """A folder of the server's, on the same machine or one that both see."""

    def __init__(self, folder: Path, pool: Path) -> None:
        super().__init__(folder / "blobs", pool)
        self._folder = folder

    def write(self, file: str, parts: Sequence[bytes | memoryview]) -> None:
        durable.write(self._folder / file, parts)

    def read(self, file: str) -> bytes:
        try:
            return (self._folder / file).read_bytes()
        except FileNotFoundError:
            raise CheckpointMissing(f"there is no checkpoint at {self._folder / file}") from None


def place(text: str) -> Place:
    """The place that the JSON object ``text`` says.

    Either it has a ``url`` as fsspec takes it, with ``options``; or a ``folder`` and the ``pool`` for blobs, and then
    maybe the way to the ``server`` (``url``, ``key``, ``certificate``), for kernels that do not see the folder. Raises
    ``PlaceUnreachable`` where what the URL needs is not installed.
    """
    told: dict[str, Any] = json.loads(text)
    if "url" in told:
        return Elsewhere(Bucket(told["url"], told["options"]))
    if told.get("server") is None or _seen(told["folder"]):
        return Folder(Path(told["folder"]), Path(told["pool"]))
    return Elsewhere(ThroughServer(told["server"]))


def _seen(folder: str) -> bool:
    """Whether the folder, which has the random id of an execution as its name, is there for this process."""
    try:
        os.scandir(folder).close()
    except OSError:
        return False
    return True
