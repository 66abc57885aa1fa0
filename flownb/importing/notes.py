"""What an import could not carry as it was, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """``place`` is a step, a trigger or a setting; ``found`` says what was there, ``remedy`` what to do."""

    place: str
    found: str
    remedy: str
