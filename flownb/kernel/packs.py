"""The pickles of a namespace cut into blobs, so that those of variables which did not change are not written again.

Each pickle may refer to those before it, so a variable that changes may change the pickles behind it. Therefore the
variables that change go to the end: what stands before them is the same from checkpoint to checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import FunctionType, ModuleType
from typing import Any

from flownb.core.hashing import digest
from flownb.kernel.blobs import Kept
from flownb.kernel.frames import Pickled
from flownb.kernel.origins import is_set_up
from flownb.kernel.places import Place
from flownb.kernel.windows import Stretch

PACK = 256 * 1024
"""Pickles are put together until they have so many bytes; the last ones, of fewer, stand in the checkpoint itself."""

BEGINNING = 1_024

_CODE = ModuleType, FunctionType | type
"""What the code of cells looks up by name."""

_UNKNOWN = None
_last: dict[str, str | None] = {}
"""The variables of the latest checkpoint in the order of their pickles, each with the digest of its own if known."""


@dataclass(frozen=True)
class Packed:
    """A namespace on disk, but for the ``manifest`` and the ``rest``, which go into the checkpoint itself."""

    packs: list[Kept]
    buffers: list[Kept]
    manifest: dict[str, Any]
    rest: memoryview

    @property
    def size(self) -> int:
        """Bytes of it all, unpacked."""
        return sum(kept.size for kept in (*self.packs, *self.buffers)) + len(self.rest)

    @property
    def stored(self) -> int:
        """Bytes that were written for it."""
        return sum(kept.stored for kept in (*self.packs, *self.buffers))

    @property
    def blobs(self) -> list[str]:
        """The names of the blobs in use, each once."""
        return list(dict.fromkeys(name for kept in (*self.packs, *self.buffers) for name in kept.pieces))


def order(namespace: Mapping[str, object], names: Iterable[str]) -> list[str]:
    """The variables as they are to be pickled and read.

    First those of setup cells, so that it is known what of them cannot be carried when others hold them; then modules,
    functions and classes, whose code may look each other up when objects are remade; then the rest. Among each, those
    that have not changed for long come first.
    """
    new = dict.fromkeys(names)
    known = [*(name for name in _last if name in new), *(name for name in new if name not in _last)]

    def rank(name: str) -> int:
        if is_set_up(name):
            return 0
        return next((at for at, kinds in enumerate(_CODE, 1) if isinstance(namespace[name], kinds)), len(_CODE) + 1)

    return sorted(known, key=rank)


def keep(pickled: Pickled, blobs: Place) -> Packed:
    """Put pickles and buffers on disk; raises ``OSError``."""
    ends = _ends(pickled)
    packs = blobs.keep([pickled.stream[start:end] for start, end in pairwise((0, *ends))], pack=True)
    buffers = blobs.keep(pickled.contents, pack=False)
    if ends:
        _remember(pickled)
    manifest = {
        "order": [frame.name for frame in pickled.frames],
        "packs": [kept.pieces for kept in packs],
        "buffers": [
            {"pieces": kept.pieces, "size": kept.size, "start": memory.start if memory else None}
            for kept, (_, memory) in zip(buffers, pickled.buffers, strict=True)
        ],
    }
    return Packed(packs, buffers, manifest, pickled.stream[ends[-1] if ends else 0 :])


def stream(manifest: Mapping[str, Any], rest: bytes, blobs: Place) -> bytes:
    """The pickles again; raises ``SnapshotDamaged`` or ``SnapshotIncompatible``."""
    global _last
    _last = dict.fromkeys(manifest["order"], _UNKNOWN)
    return b"".join([*(blobs.content(pieces) for pieces in manifest["packs"]), rest])


def buffers(manifest: Mapping[str, Any], blobs: Place) -> list[object]:
    """The buffers again; raises ``SnapshotDamaged`` or ``SnapshotIncompatible``."""
    kept = manifest["buffers"]
    contents = blobs.buffers([(one["pieces"], one["size"]) for one in kept])
    return [
        content if one["start"] is None else Stretch(content, one["start"])
        for one, content in zip(kept, contents, strict=True)
    ]


def _ends(pickled: Pickled) -> list[int]:
    """Where each pack ends."""
    ends, at = [0], pickled.start
    for frame in pickled.frames:
        at += frame.size
        if at - ends[-1] >= PACK:
            ends.append(at)
    return ends[1:]


def _remember(pickled: Pickled) -> None:
    """The first variable that changed goes to the very end: those behind it may have changed only with it."""
    global _last
    now = {name: digest([content]) for name, content in pickled.each()}
    changed = next((name for name in now if _last.get(name) not in (now[name], _UNKNOWN)), None)
    _last = {name: value for name, value in now.items() if name != changed}
    if changed is not None:
        _last[changed] = now[changed]


def beginnings(pickled: Pickled) -> bytes:
    """How the pickle of each variable begins, where it names the types it needs."""
    return b"".join(content[:BEGINNING] for _, content in pickled.each())
