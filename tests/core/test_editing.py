"""Settings changed in a notebook: checked before, and nothing else is touched."""

from __future__ import annotations

import json
from typing import Any

import nbformat
import pytest

from flownb.core.editing import ABSENT, parsed, settings_in, with_settings, written
from flownb.core.errors import InvalidValue, NotebookError
from tests.support.notebooks import notebook

FLOW = notebook("1", flownb={"timeout": "5s", "own": 1}, other={"z": 1, "a": 2})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "x"}, {"timeout": "5s", "own": 1, "name": "x"}),
        ({"timeout": ABSENT}, {"own": 1}),
        ({"timeout": ABSENT, "own": ABSENT}, None),
        ({"queue": ABSENT}, {"timeout": "5s", "own": 1}),
    ],
)
def test_keys_are_set_and_removed(changes: dict[str, Any], said: Any) -> None:
    changed = with_settings(FLOW, changes)
    assert changed["metadata"].get("flownb") == said
    assert FLOW["metadata"]["flownb"] == {"timeout": "5s", "own": 1}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"queue": 0}, "`queue` must be at least 1"),
        ({"tmeout": 1}, "there is no setting 'tmeout'"),
        ({"schedule": {"cron": "x"}}, "`schedule.cron` 'x'"),
        ({"inputs": {"a": float("nan")}}, "inputs"),
    ],
)
def test_what_is_not_valid_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidValue, match=said):
        with_settings(FLOW, changes)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"nbformat": 4, "metadata": []}'])
def test_what_is_no_notebook_is_refused(text: str) -> None:
    with pytest.raises(NotebookError):
        parsed(text)
    with pytest.raises(NotebookError):
        settings_in({"metadata": {"flownb": 3}})


@pytest.mark.parametrize(
    "text",
    [
        nbformat.writes(nbformat.from_dict(FLOW)) + "\n",
        json.dumps(FLOW),
        json.dumps(notebook("'ä'"), indent=2, ensure_ascii=False) + "\r\n",
        json.dumps(notebook("'ä'"), indent="\t"),
        json.dumps(notebook("'\ud800'"), indent=1),
    ],
)
def test_the_text_keeps_its_formatting(text: str) -> None:
    assert written(parsed(text), text) == text


def test_half_a_letter_is_escaped_though_other_letters_are_not() -> None:
    text = json.dumps(notebook("'ä'"), ensure_ascii=False).replace("'ä'", "'ä\\ud800'")
    written(parsed(text), text).encode()
