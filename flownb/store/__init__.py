"""The state, on disk: SQLite through sqlite-utils, one writer thread, one transaction per transition."""

from __future__ import annotations
