"""Which files start a workflow that watches a folder, and what it is told."""

from __future__ import annotations

import pytest

from flownb.core.files import Stamp, counts, event, path_of
from flownb.core.settings import Watch


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("a.csv", "*.csv", True),
        ("a.csv", "*", True),
        ("a.CSV", "*.csv", False),
        ("a.csv.part", "*", False),
        ("a.csv~", "*", False),
        (".a.csv", "*", False),
        (".ipynb_checkpoints", ".*", False),
        ("order-7.json", "order-?.json", True),
    ],
)
def test_hidden_and_temporary_names_do_not_count(name: str, pattern: str, expected: bool) -> None:
    assert counts(name, pattern) is expected


def test_the_path_is_what_the_notebook_would_open() -> None:
    assert [path_of(Watch(folder), "a") for folder in ("in", "./in/", "../in", ".")] == ["in/a", "in/a", "../in/a", "a"]


def test_the_event_says_which_file_it_is() -> None:
    assert event("in/a.csv", Stamp(7, 1_800_000_000_123_456_789)) == {
        "path": "in/a.csv",
        "name": "a.csv",
        "size": 7,
        "modified_at": "2027-01-15T08:00:00.123Z",
        "body": None,
    }
