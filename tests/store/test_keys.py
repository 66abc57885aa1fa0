"""The key is made once, for its owner alone, and never in place of one that is there."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from flownb.store.keys import read_or_make
from flownb.store.writer import StoreError


def test_a_key_is_made_once(tmp_path: Path) -> None:
    made = read_or_make(tmp_path / "key.json")
    assert (len(made.secret), read_or_make(tmp_path / "key.json")) == (32, made)
    assert read_or_make(tmp_path / "other.json") != made


def test_only_its_owner_reads_it_and_no_log_shows_it(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    key = read_or_make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["key.json"]
    assert repr(key.secret)[2:-1] not in repr(key)
    assert key.secret.hex() not in repr(key)


def test_what_a_crash_left_half_written_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "key.new").write_text('{"name": "ha')
    assert len(read_or_make(tmp_path / "key.json").secret) == 32


@pytest.mark.parametrize("content", ["", '{"name": "a"', '{"name": "a"}', "[]", '{"name": "a", "secret": "no hex"}'])
def test_a_damaged_key_is_said_and_left_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key.json"
    path.write_text(content)
    with pytest.raises(StoreError, match="damaged"):
        read_or_make(path)
    assert path.read_text() == content
