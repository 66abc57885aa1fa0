"""What changed between two versions of a notebook, cell by cell, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher, unified_diff
from typing import Any, Literal

from flownb.core.model import Json
from flownb.core.notebook import Workflow

Kind = Literal["added", "removed", "changed", "moved"]

MISSING: dict[str, Json] = {}


@dataclass(frozen=True)
class CellChange:
    """What became of one cell; ``name`` is that of its step, None where it is none.

    ``before`` and ``after`` are its places among all cells, from 1, in either version. ``diff`` holds the lines of a
    unified diff of what the version depends on: its name and tags, and its source. ``moved`` says that it stands in
    another order to the others than before.
    """

    change: Kind
    type: str
    name: str | None
    before: int | None
    after: int | None
    diff: tuple[str, ...] = ()
    moved: bool = False


@dataclass(frozen=True)
class SettingChange:
    """A key of ``metadata.flownb`` with its values; None where it was, or is, not there."""

    key: str
    before: Json
    after: Json


@dataclass(frozen=True)
class Diff:
    """All that two versions differ in; ``kernelspec`` has both names where they are not the same."""

    cells: tuple[CellChange, ...] = ()
    settings: tuple[SettingChange, ...] = ()
    kernelspec: tuple[str, str] | None = None

    def __bool__(self) -> bool:
        return bool(self.cells or self.settings or self.kernelspec)


@dataclass(frozen=True)
class _Placed:
    """A cell with its place; ``key`` is all that the version depends on."""

    place: int
    id: str
    name: str | None
    type: str
    source: str
    about: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str, tuple[str, ...]]:
        return self.type, self.source, self.about


def diff(old: Workflow | None, new: Workflow) -> Diff:
    """From one version to another; with none before, everything is new."""
    was, now = _settings(old), _settings(new)
    return Diff(
        cells=tuple(_cells(_placed(old) if old else [], _placed(new))),
        settings=tuple(
            SettingChange(key, was.get(key), now.get(key)) for key in {**was, **now} if was.get(key) != now.get(key)
        ),
        kernelspec=(old.kernelspec, new.kernelspec) if old and old.kernelspec != new.kernelspec else None,
    )


def _settings(of: Workflow | None) -> Mapping[str, Json]:
    return of.content["metadata"].get("flownb", MISSING) if of else MISSING


def _placed(of: Workflow) -> list[_Placed]:
    names = {step.cell_id: step.name for step in of.steps}
    return [
        _Placed(place, cell["id"], names.get(cell["id"]), cell["cell_type"], cell["source"], tuple(_about(cell)))
        for place, cell in enumerate(of.content["cells"], 1)
    ]


def _about(cell: Mapping[str, Any]) -> Iterator[str]:
    """What a cell has besides its source that makes a difference."""
    metadata = cell["metadata"]
    if "name" in metadata:
        yield f"name: {metadata['name']}"
    if metadata.get("tags"):
        yield f"tags: {', '.join(metadata['tags'])}"


def _cells(old: list[_Placed], new: list[_Placed]) -> Iterator[CellChange]:
    """In the order of the new version; what was removed comes where it had stood."""
    pairs = _pairs(old, new)
    partner = {after.place: before for before, after in pairs}
    gone = [cell for cell in old if cell not in {before for before, _ in pairs}]
    in_place = _in_place(pairs)
    for cell in new:
        before = partner.get(cell.place)
        reached = before.place if before is not None and cell.place in in_place else 0
        while gone and gone[0].place < reached:
            yield _removed(gone.pop(0))
        if before is None:
            yield CellChange("added", cell.type, cell.name, None, cell.place, _lines(None, cell))
        elif before.key != cell.key:
            moved = cell.place not in in_place
            yield CellChange("changed", cell.type, cell.name, before.place, cell.place, _lines(before, cell), moved)
        elif cell.place not in in_place:
            yield CellChange("moved", cell.type, cell.name, before.place, cell.place, moved=True)
    yield from map(_removed, gone)


def _removed(cell: _Placed) -> CellChange:
    return CellChange("removed", cell.type, cell.name, cell.place, None, _lines(cell, None))


def _pairs(old: list[_Placed], new: list[_Placed]) -> list[tuple[_Placed, _Placed]]:
    """Which cell became which: alike and in order first, then alike, then of one id, then of one name."""
    matcher = SequenceMatcher(None, [cell.key for cell in old], [cell.key for cell in new], autojunk=False)
    pairs = [
        (old[block.a + step], new[block.b + step])
        for block in matcher.get_matching_blocks()
        for step in range(block.size)
    ]
    for same in (lambda cell: cell.key, lambda cell: (cell.type, cell.id), lambda cell: cell.name):
        before = {one for one, _ in pairs}
        after = {one for _, one in pairs}
        left: dict[Any, list[_Placed]] = {}
        for cell in old:
            if cell not in before and same(cell) is not None:
                left.setdefault(same(cell), []).append(cell)
        pairs += [(left[same(cell)].pop(0), cell) for cell in new if cell not in after and left.get(same(cell))]
    return pairs


def _in_place(pairs: list[tuple[_Placed, _Placed]]) -> set[int]:
    """The new places of as many cells as kept their order; the others have moved."""
    order = [before.place for before, _ in sorted(pairs, key=lambda pair: pair[1].place)]
    matcher = SequenceMatcher(None, sorted(order), order, autojunk=False)
    kept = {order[block.b + step] for block in matcher.get_matching_blocks() for step in range(block.size)}
    return {after.place for before, after in pairs if before.place in kept}


def _lines(before: _Placed | None, after: _Placed | None) -> tuple[str, ...]:
    return tuple(unified_diff(_written_out(before), _written_out(after), lineterm=""))[2:]


def _written_out(cell: _Placed | None) -> list[str]:
    return [] if cell is None else [*(f"({one})" for one in cell.about), *cell.source.splitlines()]


def as_json(found: Diff) -> dict[str, Json]:
    """A diff as the API has it; ``text`` is all of it for people."""
    kernelspec = dict(zip(("before", "after"), found.kernelspec, strict=True)) if found.kernelspec else None
    return {
        "cells": [{**asdict(cell), "diff": "\n".join(cell.diff)} for cell in found.cells],
        "settings": [asdict(one) for one in found.settings],
        "kernelspec": kernelspec,
        "text": text(found),
    }


def text(found: Diff) -> str:
    """A diff to be read; empty where there is none."""
    return "\n".join(_text(found))


def _text(found: Diff) -> Iterator[str]:
    if found.kernelspec:
        yield "kernelspec: {} -> {}".format(*found.kernelspec)
    for setting in found.settings:
        yield f"setting {setting.key}"
        yield from (
            f"{sign}{_written(value)}"
            for sign, value in (("-", setting.before), ("+", setting.after))
            if value is not None
        )
    for cell in found.cells:
        yield heading(cell)
        yield from cell.diff


def heading(cell: CellChange) -> str:
    """Which cell, and what became of it, in one line."""
    place = cell.after if cell.after is not None else cell.before
    what = f"cell {place}" + (f" ({cell.name})" if cell.name else "" if cell.type == "code" else f" ({cell.type})")
    where = f", was cell {cell.before}" if cell.moved else ""
    return f"{what} {cell.change}{where}"


def _written(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)
