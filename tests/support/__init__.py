"""Real parts for tests: a server process whose time can be moved, notebooks, a person with an HTTP client."""

from __future__ import annotations
