"""Widgets for notebooks. They know ``flownb.client`` and the rules in ``flownb.core``; the rest is handed to them."""

from __future__ import annotations

from flownb.widgets.continuing import Continue
from flownb.widgets.dashboard import Dashboard
from flownb.widgets.execution import ExecutionView
from flownb.widgets.inbox import Inbox

__all__ = ["Continue", "Dashboard", "ExecutionView", "Inbox"]
