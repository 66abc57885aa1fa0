"""What a crash left behind goes while all is at work, and nothing else does."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from flownb.core import events
from flownb.core.model import Checkpoint
from flownb.server.tidying import tidy
from flownb.store.checkpoints import StepCheckpoint
from flownb.store.snapshots import BLOBS, POOL, Snapshots
from tests.store.stored import BEGIN, Stored, finished, new, stored, suspend
from tests.support.asyncio import in_loop

LOG = logging.getLogger("flownb")


def keep(snapshots: Snapshots, execution: str, files: Iterable[str], blobs: Iterable[str] = ()) -> None:
    """Files of an execution as they are on disk, made long ago."""
    own = snapshots.folder(execution)
    (own / BLOBS).mkdir(parents=True)
    for file in files:
        (own / file).write_text("a checkpoint")
    for blob in blobs:
        shelf = snapshots.pool / blob[:2]
        shelf.mkdir(parents=True, exist_ok=True)
        (own / BLOBS / blob).write_text("a blob")
        os.link(own / BLOBS / blob, shelf / blob)
    for folder in (own / BLOBS, own):
        os.utime(folder, (1, 1))


async def end_step(store: Stored, execution: str, file: str, blobs: tuple[str, ...] = ()) -> None:
    saved = Checkpoint(file, "digest", 1)
    await store.apply(execution, finished(suspend()), kept=StepCheckpoint("a", 1, saved, blobs=blobs))


def left(snapshots: Snapshots) -> list[str]:
    return sorted(str(file.relative_to(snapshots.root)) for file in snapshots.root.rglob("*") if file.is_file())


@in_loop
async def test_only_what_nobody_knows_goes(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path / "snapshots")
    async with stored(tmp_path) as store:
        for name in ("waits", "runs", "opened"):
            await store.play(new(name), *BEGIN)
        await end_step(store, "waits", "0-known", ("ab-known",))
        await end_step(store, "opened", "0-known")
        keep(snapshots, "waits", ["0-known", "1-unknown"], ["ab-known", "cd-unknown"])
        keep(snapshots, "runs", ["0-being-saved"])
        keep(snapshots, "opened", ["0-known", "1-being-saved"])
        keep(snapshots, "nobody", ["0-unknown"], ["ef-unknown"])
        (snapshots.pool / "ef" / "ef-alone").write_text("of nobody")
        await tidy(store, snapshots, lambda name: name == "opened", LOG)
    assert left(snapshots) == [
        "opened/0-known",
        "opened/1-being-saved",
        f"{POOL}/ab/ab-known",
        "runs/0-being-saved",
        "waits/0-known",
        f"waits/{BLOBS}/ab-known",
    ]


@in_loop
async def test_the_next_look_is_at_what_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshots = Snapshots(tmp_path / "snapshots")
    looked: list[str] = []

    def look(self: Snapshots, used: dict[str, set[str]], began: int) -> list[str]:
        looked.extend(used)
        return []

    monkeypatch.setattr(Snapshots, "untidy", look)
    async with stored(tmp_path) as store:
        for names in (["a", "b"], ["b"]):
            for name in "ab":
                if not snapshots.folder(name).exists():
                    keep(snapshots, name, ["0-file"])
            looked.clear()
            await tidy(store, snapshots, lambda name: False, LOG)
            assert sorted(looked) == names
            (snapshots.folder("b") / BLOBS / "ab-new").write_text("a blob that a crash leaves behind")


@in_loop
async def test_what_is_made_meanwhile_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshots = Snapshots(tmp_path / "snapshots")
    keep(snapshots, "being-copied", ["0-known-soon"])
    keep(snapshots, "begins", ["0-being-saved"])
    async with stored(tmp_path) as store:
        await store.play(new("begins"))
        looked = Snapshots.untidy

        def look(self: Snapshots, *arguments: object) -> list[str]:
            """A copy of a checkpoint is made for a new execution, just before the look."""
            os.utime(self.folder("being-copied"))
            return looked(self, *arguments)  # type: ignore[arg-type]

        async def begin(name: str) -> None:
            await store.apply(name, events.Admitted())

        at_rest = store.at_rest

        async def admitted_first(name: str, *arguments: object) -> None:
            await begin(name)
            await at_rest(name, *arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(Snapshots, "untidy", look)
        monkeypatch.setattr(store, "at_rest", admitted_first)
        await tidy(store, snapshots, lambda name: False, LOG)
    assert left(snapshots) == ["begins/0-being-saved", "being-copied/0-known-soon"]
