"""What a checkpoint says of each variable: whether it is carried, its size, and what it shares with others."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from typing import Any

from flownb.kernel.frames import Frame, Pickled
from flownb.kernel.packs import Packed
from flownb.kernel.snapshot_errors import SnapshotTooLarge

LARGEST = 3
"""So many variables are named where all take too much room."""

_LOOKED_THROUGH = 1_000
"""Of containers with more members than this, it is not looked up which variables they hold."""


def demand_room(pickled: Pickled, most: int) -> None:
    """Raises ``SnapshotTooLarge`` where there are more than ``most`` bytes; 0 is no limit."""
    contents = sum(memory.end - memory.start if memory else buffer.raw().nbytes for buffer, memory in pickled.buffers)
    size = len(pickled.stream) + contents
    if not most or size <= most:
        return
    sizes = {frame.name: _size(frame, pickled) for frame in pickled.frames}
    largest = sorted(sizes, key=lambda name: -sizes[name])[:LARGEST]
    named = ", ".join(f"{name} {sizes[name]:,}" for name in largest)
    raise SnapshotTooLarge(
        f"the variables take {size:,} bytes, a checkpoint may take {most:,} (c.FlowNB.max_snapshot_bytes). "
        f"The largest: {named}. Delete what later steps do not need, or make it in a cell tagged `setup`"
    )


def variables(namespace: Mapping[str, object], pickled: Pickled, packed: Packed) -> list[dict[str, Any]]:
    """One entry a variable, in the order of the namespace.

    ``size`` is what it takes in bytes, ``stored`` how many of them had to be written now, and ``shared`` names the
    variables that it holds, or with which it has memory in common.
    """
    names = {id(namespace[frame.name]): frame.name for frame in reversed(pickled.frames)}
    entries = {
        frame.name: {
            "name": frame.name,
            "type": frame.type,
            "status": frame.status,
            "reason": frame.reason,
            "step": frame.step,
            "size": _size(frame, pickled),
            "stored": stored,
            "shared": _shared(frame.name, namespace[frame.name], names, pickled),
        }
        for frame, stored in zip(pickled.frames, _stored(pickled, packed), strict=True)
    }
    return [entries[name] for name in namespace if name in entries]


def _size(frame: Frame, pickled: Pickled) -> int:
    arrays = sum(memory.end - memory.start for memory in pickled.memories if frame.name in memory.users)
    others = [buffer for buffer, memory in map(pickled.buffers.__getitem__, frame.buffers) if memory is None]
    return frame.size + arrays + sum(buffer.raw().nbytes for buffer in others)


def _stored(pickled: Pickled, packed: Packed) -> list[int]:
    """For each frame, the bytes that were written for it."""
    found = []
    packs = iter(packed.packs)
    pack, end, at = next(packs, None), 0, pickled.start
    end = pack.size if pack else 0
    for frame in pickled.frames:
        while pack is not None and at >= end:
            pack = next(packs, None)
            end += pack.size if pack else 0
        written = frame.size if pack is None else round(frame.size * pack.stored / pack.size)
        found.append(written + sum(packed.buffers[place].stored for place in frame.buffers))
        at += frame.size
    return found


def _shared(name: str, value: object, names: Mapping[int, str], pickled: Pickled) -> list[str]:
    members = gc.get_referents(value)[:_LOOKED_THROUGH]
    held = {names[id(value)], *(names.get(id(each), name) for each in members if not isinstance(each, type))}
    memory = {user for memory in pickled.memories if name in memory.users for user in memory.users}
    return sorted((held | memory) - {name})
