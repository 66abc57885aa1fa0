"""Signs and colours of statuses."""

from __future__ import annotations

SIGNS = {
    "pending": "·",
    "queued": "·",
    "running": "▸",
    "suspended": "⏸",
    "succeeded": "✓",
    "failed": "✗",
    "skipped": "–",
    "cancelled": "■",
}

COLOURS = {
    "pending": "dim",
    "queued": "dim",
    "running": "cyan",
    "suspended": "yellow",
    "succeeded": "green",
    "failed": "red",
    "skipped": "dim",
    "cancelled": "magenta",
}
