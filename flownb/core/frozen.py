"""Frozen data made by the thousand: in a fraction of the time that its own ``__init__`` takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

T = TypeVar("T")

if TYPE_CHECKING:
    from dataclasses import replace as replace  # whose calls are checked field by field
else:

    def replace(value: T, /, **changes: Any) -> T:
        """A copy with these fields changed, of a dataclass that has neither slots nor a ``__post_init__``."""
        copy = object.__new__(value.__class__)
        fields = copy.__dict__
        fields.update(value.__dict__)
        count = len(fields)
        fields.update(changes)
        if len(fields) != count:
            raise TypeError(f"{type(value).__name__} has not all of {', '.join(changes)}")
        return copy


def made(kind: type[T], fields: dict[str, Any]) -> T:
    """``kind(**fields)`` where all its fields are given, of a dataclass as above; nothing is checked."""
    value = object.__new__(kind)
    value.__dict__.update(fields)
    return value
