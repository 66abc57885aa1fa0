"""One server for this folder's tests."""

from __future__ import annotations

from tests.client_support import environment, server

__all__ = ["environment", "server"]
