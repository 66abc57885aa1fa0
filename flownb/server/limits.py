"""How much a step may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """``default_timeout`` in ms of one attempt of a step that sets none, and of a setup cell; None for no limit."""

    default_timeout: int | None
    max_export_bytes: int
