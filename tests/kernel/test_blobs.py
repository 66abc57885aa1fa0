"""Content on disk: once, shared, checked, and private to whoever maps it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from flownb.core import hashing
from flownb.core.hashing import CHUNK, PACKED
from flownb.kernel import blobs as module
from flownb.kernel import familiar
from flownb.kernel.blobs import Blobs, Kept
from flownb.kernel.snapshot_errors import SnapshotDamaged

TEXT = b"so much of the same " * 10_000


@pytest.fixture(params=["blake3", "blake2"], autouse=True)
def algorithm(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "blake2":
        monkeypatch.setattr(hashing, "blake3", None)


@pytest.fixture(autouse=True)
def nothing_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a kernel that is new."""
    monkeypatch.setattr(familiar, "_seen", set())


def keep(blobs: Blobs, *contents: bytes, pack: bool = False) -> list[Kept]:
    return blobs.keep(contents, pack=pack)


def files(folder: Path) -> set[str]:
    return {file.name for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("known", [True, False])
def test_what_is_there_is_not_written_again(tmp_path: Path, known: bool) -> None:
    first = Blobs(tmp_path / "a", tmp_path / "pool")
    content = os.urandom(100_000)
    (kept,) = keep(first, content)
    assert (kept.size, kept.stored) == (100_000, 100_000)
    if not known:
        familiar._seen.clear()
    assert keep(first, content) == [Kept(kept.pieces, 100_000, 0)]
    assert keep(Blobs(tmp_path / "b", tmp_path / "pool"), content) == [Kept(kept.pieces, 100_000, 0)]
    assert files(tmp_path) == set(kept.pieces)
    assert (tmp_path / "a" / kept.pieces[0]).stat().st_nlink == 3
    assert (tmp_path / "a" / kept.pieces[0]).stat().st_mode & 0o777 == 0o600


def test_packed_where_it_shrinks(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "own", tmp_path / "pool")
    noise = os.urandom(50_000)
    text, raw = keep(blobs, TEXT, noise, pack=True)
    assert text.pieces[0].endswith(PACKED)
    assert text.stored < len(TEXT) / 10
    assert (raw.stored, raw.pieces[0].endswith(PACKED)) == (50_000, False)
    assert keep(blobs, TEXT, pack=True)[0].stored == 0
    assert (blobs.content(text.pieces), blobs.content(raw.pieces)) == (TEXT, noise)


def test_without_zstandard_nothing_is_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "zstandard", None)
    blobs = Blobs(tmp_path / "own", tmp_path / "pool")
    (kept,) = keep(blobs, TEXT, pack=True)
    assert kept.stored == len(TEXT)
    assert blobs.content(kept.pieces) == TEXT


def test_large_content_is_in_pieces_of_which_only_the_changed_are_written(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "own", tmp_path / "pool")
    content = bytearray(os.urandom(1000) * (3 * CHUNK // 1000))
    (before,) = blobs.keep([content], pack=False)
    assert len(before.pieces) == 3
    content[CHUNK + 5] ^= 1
    (after,) = blobs.keep([content], pack=False)
    assert [a == b for a, b in zip(before.pieces, after.pieces, strict=True)] == [True, False, True]
    assert after.stored == CHUNK
    (view,) = blobs.buffers([(after.pieces, after.size)])
    assert view == content
    view[0] ^= 1
    view[CHUNK * 2 + 1] ^= 1
    (again,) = blobs.buffers([(after.pieces, after.size)])
    assert again == content


def test_several_contents_at_once(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "own", tmp_path / "pool")
    contents = [os.urandom(70_000 + place) for place in range(20)]
    kept = keep(blobs, *contents, contents[3])
    assert [one.size for one in kept] == [len(one) for one in [*contents, contents[3]]]
    assert [bytes(view) for view in blobs.buffers([(one.pieces, one.size) for one in kept[:20]])] == contents
    assert keep(blobs) == []


def test_a_file_system_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    blobs = Blobs(tmp_path / "own", tmp_path / "pool")
    content = os.urandom(100_000)
    (kept,) = keep(blobs, content)
    assert keep(blobs, content)[0].stored == 0
    assert blobs.content(kept.pieces) == content


def test_what_changes_while_it_is_written_is_sound_all_the_same(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "own", tmp_path / "pool")
    content = bytearray(2 * CHUNK)
    going = True

    def change() -> None:
        while going:
            for place in range(0, len(content), 4096):
                content[place] = (content[place] + 1) % 256

    thread = threading.Thread(target=change)
    thread.start()
    try:
        found = [blobs.keep([content], pack=False)[0] for _ in range(5)]
    finally:
        going = False
        thread.join()
    for kept in found:
        assert len(blobs.content(kept.pieces)) == len(content)


@pytest.mark.parametrize("pack", [True, False])
@pytest.mark.parametrize("harm", ["cut", "flip", "empty", "gone"])
def test_damage_is_noticed(tmp_path: Path, harm: str, pack: bool) -> None:
    blobs = Blobs(tmp_path / "own", tmp_path / "pool")
    (kept,) = keep(blobs, TEXT, pack=pack)
    file = tmp_path / "own" / kept.pieces[0]
    content = file.read_bytes()
    file.unlink()
    if harm != "gone":
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]
        file.write_bytes({"cut": content[:-1], "flip": flipped, "empty": b""}[harm])
    with pytest.raises(SnapshotDamaged):
        blobs.content(kept.pieces)
    if not pack:
        with pytest.raises(SnapshotDamaged):
            blobs.buffers([(kept.pieces, kept.size)])


def test_a_full_disk_leaves_no_half_blob(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    blobs = Blobs(tmp_path / "own", tmp_path / "pool")
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            keep(blobs, TEXT)
    assert files(tmp_path) == set()
    assert blobs.content(keep(blobs, TEXT)[0].pieces) == TEXT
