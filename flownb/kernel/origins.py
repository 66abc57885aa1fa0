"""Which names in the namespace are the author's, and which step last bound each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_OUTPUTS_AND_INPUTS = re.compile(r"_{1,3}|_i{1,3}|_i?[0-9]+")

_bound: dict[str, tuple[int, str | None]] = {}  # by name: the id of its value, and the step that bound it


def authors_names(shell: Any) -> list[str]:
    """Every name but those that IPython itself put there, in the order of the namespace."""
    hidden = shell.user_ns_hidden
    return [
        name
        for name, value in shell.user_ns.items()
        if not (name in hidden and hidden[name] is value)
        and not _OUTPUTS_AND_INPUTS.fullmatch(name)
        and name != "__builtins__"
    ]


def note(namespace: Mapping[str, object], step: str) -> None:
    """After ``step``: names that are new, or bound to another object than before, are its work.

    Compares ids and keeps no objects alive; an id used again can at worst name a wrong step in a message.
    """
    global _bound
    before = _bound
    _bound = {
        name: before[name] if name in before and before[name][0] == id(value) else (id(value), step)
        for name, value in namespace.items()
    }


def origin(name: str) -> str | None:
    """The step that last bound ``name``, if one did."""
    return _bound[name][1] if name in _bound else None


def restore(namespace: Mapping[str, object], steps: Mapping[str, str | None]) -> None:
    """Takes over what a snapshot knows: the step of each name it brought back."""
    _bound.update({name: (id(namespace[name]), step) for name, step in steps.items()})
