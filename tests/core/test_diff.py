"""What changed between two versions of a notebook."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flownb.core.diff import as_json, diff, text
from flownb.core.notebook import Workflow, read
from tests.support.notebooks import cell, notebook

A, B, C = (cell(f"{name} = 1", name) for name in "abc")


def version(*cells: Any, ids: str = "", **metadata: Any) -> Workflow:
    made = notebook(*cells, **metadata)
    for one, id in zip(made["cells"], ids, strict=False):
        one["id"] = id
    return read(json.dumps(made))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ([A, B], [A, B], []),
        ([A], [A, B], ["cell 2 (b) added"]),
        ([B], [A, B], ["cell 1 (a) added"]),
        ([A, B, C], [A, C], ["cell 2 (b) removed"]),
        ([A, B, C], [C, A, B], ["cell 1 (c) moved, was cell 3"]),
        ([A, B], [A, cell("b = 2", "b")], ["cell 2 (b) changed"]),
        (
            [A, B],
            [C, cell("b = 2", "b"), A],
            ["cell 1 (c) added", "cell 2 (b) changed, was cell 2"],
        ),
        ([A], [cell("a = 1", "z")], ["cell 1 (z) changed"]),
        ([A, B], [A, cell("b = 1", "b", "show-approver")], ["cell 2 (b) changed"]),
        ([A, A | {"metadata": {}}], [A], ["cell 2 (step_2) removed"]),
    ],
)
def test_each_cell_that_differs_is_named_with_what_became_of_it(
    old: list[Any], new: list[Any], said: list[str]
) -> None:
    found = diff(version(*old), version(*new))
    lines = text(found).splitlines()
    assert [line for line in lines if line.startswith("cell ")] == said
    assert bool(found) is bool(said)


def test_a_cell_that_was_edited_is_known_by_its_id_though_it_has_no_name() -> None:
    found = diff(version("x = 1", "y = 1", ids="pq"), version("y = 2", ids="q"))
    assert [(one.change, one.before, one.after) for one in found.cells] == [("removed", 1, None), ("changed", 2, 1)]


def test_the_lines_of_a_change_are_those_of_a_unified_diff_with_name_and_tags() -> None:
    old, new = version(cell("a = 1\nb = 2", "one")), version(cell("a = 1\nb = 3", "one", "setup"), "1")
    assert diff(old, new).cells[0].diff == (
        "@@ -1,3 +1,4 @@",
        " (name: one)",
        "+(tags: setup)",
        " a = 1",
        "-b = 2",
        "+b = 3",
    )


def test_settings_and_kernelspec_are_told_by_key() -> None:
    old = version(A, flownb={"timeout": "5s", "queue": 3}, kernelspec={"name": "python3", "display_name": ""})
    new = version(A, flownb={"timeout": "9s", "name": "x"}, kernelspec={"name": "other", "display_name": ""})
    found = as_json(diff(old, new))
    assert found["settings"] == [
        {"key": "timeout", "before": "5s", "after": "9s"},
        {"key": "queue", "before": 3, "after": None},
        {"key": "name", "before": None, "after": "x"},
    ]
    assert found["kernelspec"] == {"before": "python3", "after": "other"}
    assert found["text"].splitlines()[:4] == ["kernelspec: python3 -> other", "setting timeout", '-"5s"', '+"9s"']


def test_with_no_version_before_all_is_new() -> None:
    found = diff(None, version(A, B))
    assert [one.change for one in found.cells] == ["added", "added"]
