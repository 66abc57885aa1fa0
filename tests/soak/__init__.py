"""Long runs under random violence."""

from __future__ import annotations
