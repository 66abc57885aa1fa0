"""What another process finds by its name, and what it does not."""

from __future__ import annotations

import operator
import pickle
import sys
from types import ModuleType
from typing import Any


def importable(obj: Any, name: str) -> bool:
    """Whether another process finds ``obj`` under ``name`` in its module."""
    module = sys.modules.get(pickle.whichmodule(obj, name))  # type: ignore[attr-defined]
    if module is None or module.__name__ == "__main__" or made_by_hand(module):
        return False
    try:
        return operator.attrgetter(name)(module) is obj
    except AttributeError:
        return False


def made_by_hand(module: object) -> bool:
    """Whether a cell made this module, by ``types.ModuleType``, so that nothing can import it."""
    return (
        type(module) is ModuleType
        and module.__spec__ is None
        and not hasattr(module, "__file__")
        and module.__name__ != "__main__"
    )


def sentinels(kind: type) -> dict[int, str]:
    """By id: the names of such objects of type ``kind`` in its module as hold nothing, and are known by identity only.

    ``dataclasses.MISSING`` is one.
    """
    module = sys.modules.get(kind.__module__)
    if type(module) is not ModuleType or module.__name__ == "__main__":
        return {}
    return {
        id(value): name
        for name, value in list(vars(module).items())
        if type(value) is kind and getattr(value, "__dict__", None) == {}
    }
