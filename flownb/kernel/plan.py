"""What a checkpoint says of each variable: whether it is carried, its size, and what it shares with others."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import islice
from types import FunctionType, ModuleType
from typing import Any

from flownb.kernel.frames import Frame, Pickled
from flownb.kernel.packs import Packed
from flownb.kernel.snapshot_errors import SnapshotTooLarge

LARGEST = 3
"""So many variables are named where all take too much room."""

_ATOMS = (int, float, complex, str, bytes, type, ModuleType, type(None))
"""What many have in common without it meaning anything."""

_LOOKED_THROUGH = 1_000
"""Of containers with more members than this, it is not looked up which variables they hold."""


def demand_room(pickled: Pickled, most: int) -> None:
    """Raises ``SnapshotTooLarge`` where there are more than ``most`` bytes; 0 is no limit."""
    size = len(pickled.stream) + sum(len(content) for content in pickled.contents)
    if not most or size <= most:
        return
    sizes = _sizes(pickled)
    largest = sorted(sizes, key=lambda name: -sizes[name])[:LARGEST]
    named = ", ".join(f"{name} {sizes[name]:,}" for name in largest)
    raise SnapshotTooLarge(
        f"the variables take {size:,} bytes, a checkpoint may take {most:,} (c.FlowNB.max_snapshot_bytes). "
        f"The largest: {named}. Delete what later steps do not need, or make it in a cell tagged `setup`"
    )


def variables(namespace: Mapping[str, object], pickled: Pickled, packed: Packed) -> list[dict[str, Any]]:
    """One entry a variable, in the order of the namespace.

    ``size`` is what it takes in bytes, ``stored`` how many of them had to be written now, and ``shared`` names the
    variables that it holds or is held by, or with which it has memory in common.
    """
    sizes = _sizes(pickled)
    held = _held(namespace, pickled)
    shared = _shared(held, pickled)
    frames = {frame.name: frame for frame in pickled.frames}
    entries = {
        frame.name: {
            "name": frame.name,
            "type": frame.type,
            **_fate(frame, [frames[name] for name in held[frame.name]]),
            "step": frame.step,
            "size": sizes[frame.name],
            "stored": stored,
            "shared": sorted(shared[frame.name] - {frame.name}),
        }
        for frame, stored in zip(pickled.frames, _stored(pickled, packed), strict=True)
    }
    return [entries[name] for name in namespace if name in entries]


def _sizes(pickled: Pickled) -> dict[str, int]:
    """What each variable takes; memory that several look at counts for each of them."""
    sizes = {frame.name: frame.size for frame in pickled.frames}
    for memory in pickled.memories:
        for name in memory.users:
            sizes[name] += memory.end - memory.start
    for frame in pickled.frames:
        for buffer, known in map(pickled.buffers.__getitem__, frame.buffers):
            sizes[frame.name] += 0 if known else buffer.raw().nbytes
    return sizes


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


def _fate(frame: Frame, held: list[Frame]) -> dict[str, str | None]:
    """What becomes of a variable. It is whole only where what it holds is, which may be a variable of its own."""
    lost = next((other for other in held if other.status == "lost"), None)
    if frame.status == "kept" and lost is not None:
        return {"status": "partly", "reason": lost.reason}
    return {"status": frame.status, "reason": frame.reason}


def _held(namespace: Mapping[str, object], pickled: Pickled) -> dict[str, list[str]]:
    """For each variable, those that it holds, or that are other names for it."""
    names: dict[int, list[str]] = defaultdict(list)
    for frame in pickled.frames:
        if not isinstance(namespace[frame.name], _ATOMS):
            names[id(namespace[frame.name])].append(frame.name)
    return {
        frame.name: [other for thing in (value, *members) for other in names.get(id(thing), ())]
        for frame in pickled.frames
        for value in [namespace[frame.name]]
        for members in [() if value is namespace or isinstance(value, ModuleType) else _members(value)]
    }


def _shared(held: Mapping[str, list[str]], pickled: Pickled) -> dict[str, set[str]]:
    """For each variable, those that have something in common with it."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, others in held.items():
        for other in others:
            found[name].add(other)
            found[other].add(name)
    for memory in pickled.memories:
        for name in memory.users:
            found[name].update(memory.users)
    return found


def _members(value: object) -> Iterator[object]:
    """What a container holds, or an object in its attributes."""
    for member in gc.get_referents(value)[:_LOOKED_THROUGH]:
        if type(member) is dict and not isinstance(value, dict | FunctionType):
            yield from islice(member.values(), _LOOKED_THROUGH)
        else:
            yield member
