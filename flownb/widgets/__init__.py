"""Widgets for notebooks. They know ``flownb.client``, nothing else of flownb; what else they do is handed to them."""

from __future__ import annotations

from flownb.widgets.continuing import Continue
from flownb.widgets.inbox import Inbox

__all__ = ["Continue", "Inbox"]
