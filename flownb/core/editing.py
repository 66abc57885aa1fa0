"""Settings of a workflow changed in the notebook that has them, and nothing else with them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from flownb.core.errors import InvalidValue, NotebookError
from flownb.core.jsonvalue import to_json
from flownb.core.model import Json
from flownb.core.settings import NAMES, settings

ABSENT = object()
"""In place of a value: the key is to go."""


def parsed(text: str) -> dict[str, Any]:
    """The notebook in a text, as it is; raises ``NotebookError`` where there is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotebookError(f"not a notebook: {error}") from None
    if not isinstance(found, dict) or "nbformat" not in found or not isinstance(found.get("metadata"), dict):
        raise NotebookError("not a notebook: it has no `nbformat` and `metadata`")
    return found


def settings_in(notebook: Mapping[str, Any]) -> dict[str, Json]:
    """What stands in ``metadata.flownb``; raises ``NotebookError`` where that is no mapping."""
    said = notebook["metadata"].get("flownb", {})
    if not isinstance(said, dict):
        raise NotebookError("the notebook's settings (metadata.flownb) are no mapping: put them right by hand")
    return said


def demand_known(key: str) -> str:
    """The key; raises ``InvalidValue`` where there is no such setting."""
    if key not in NAMES:
        raise InvalidValue(f"there is no setting {key!r}: there is {', '.join(NAMES)}")
    return key


def with_settings(notebook: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with these settings; those that are ``ABSENT`` are gone from it.

    Raises ``InvalidValue`` where the settings as a whole would not be valid, naming the key.
    """
    said = {**settings_in(notebook)}
    for key, value in changes.items():
        if value is ABSENT:
            said.pop(key, None)
        else:
            said[demand_known(key)] = to_json(value, key)
    settings(said)
    changed = deepcopy(dict(notebook))
    if said:
        changed["metadata"]["flownb"] = said
    else:
        changed["metadata"].pop("flownb", None)
    return changed


def written(notebook: Mapping[str, Any], like: str) -> str:
    """The text of a notebook, formatted as that one was: its indentation, its letters, the order of its keys."""
    indent = re.match(r"\{\r?\n([ \t]*)", like)
    text = json.dumps(notebook, indent=indent[1] if indent else None, ensure_ascii=like.isascii())
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        text = json.dumps(notebook, indent=indent[1] if indent else None)  # half a letter is in no file
    return text + like[len(like.rstrip()) :]
