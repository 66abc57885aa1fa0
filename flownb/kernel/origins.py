"""Which names in the namespace are the author's, and which step last bound each."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

_OUTPUTS_AND_INPUTS = re.compile(r"_{1,3}|_i{1,3}|_i?[0-9]+")

_bound: dict[str, tuple[int, str | None]] = {}  # by name: the id of its value, and the step that bound it
_set_up: dict[str, int] = {}  # the same for what setup cells have bound, whatever steps did with the name since

_incomplete: dict[str, str] = {}  # by name: why not all of what a setup cell has bound to it can be carried
_IMPORT = re.compile(r"^[ \t]*import[ \t]+([\w., \t]+)", re.MULTILINE)

_dotted: set[str] = set()  # of modules that cells imported as ``import a.b``, which binds ``a`` only


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


def note_setup(shell: Any, cell: str) -> None:
    """As ``note``, after a setup cell; in a new kernel, every name of the author's is a setup cell's work."""
    before = dict(_bound)
    note(shell.user_ns, cell)
    _set_up.update({name: _bound[name][0] for name in authors_names(shell) if before.get(name) != _bound[name]})


def is_set_up(name: str) -> bool:
    """Whether a setup cell of this kernel bound ``name``."""
    return name in _set_up


def is_as_set_up(name: str, value: object) -> bool:
    """Whether ``value`` is still the object that a setup cell bound to ``name``."""
    return _set_up.get(name) == id(value)


def origin(name: str) -> str | None:
    """The step that last bound ``name``, if one did."""
    return _bound[name][1] if name in _bound else None


def restore(namespace: Mapping[str, object], steps: Mapping[str, str | None]) -> None:
    """Takes over what a snapshot knows: the step of each name it brought back."""
    _bound.update({name: (id(namespace[name]), step) for name, step in steps.items()})


def note_incomplete(name: str, cause: str) -> None:
    """What a setup cell bound to ``name`` cannot be carried as a whole."""
    _incomplete[name] = cause


def incomplete(name: str) -> str | None:
    """Why it cannot be, if that was found."""
    return _incomplete.get(name)


def any_incomplete() -> bool:
    """Whether something of the kind was found: then the classes of setup cells are theirs to make too."""
    return bool(_incomplete)


def note_imports(source: str) -> None:
    """Of a cell: which parts of packages it imported under the package's name."""
    for line in _IMPORT.findall(source):
        _dotted.update(each.strip() for each in line.split(",") if "." in each and " as " not in each)


def imported_parts(package: str) -> list[str]:
    """The modules that cells imported by ``import package.part``."""
    return sorted(name for name in _dotted if name.startswith(f"{package}.") and name in sys.modules)
