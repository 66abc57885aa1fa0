"""The REST client that widgets and command line share: it speaks HTTP and knows nothing of what is behind that."""

from __future__ import annotations

from flownb.client.errors import ApiError, NoServer
from flownb.client.events import Events
from flownb.client.http import FINAL, Client
from flownb.client.servers import find

__all__ = ["FINAL", "ApiError", "Client", "Events", "NoServer", "find"]
