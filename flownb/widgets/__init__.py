"""Widgets for the author's own kernel. They talk HTTP through ``flownb.client``, nothing else."""

from __future__ import annotations

from flownb.widgets.inbox import Inbox

__all__ = ["Inbox"]
