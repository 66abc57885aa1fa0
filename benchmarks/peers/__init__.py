"""The peers' sides: each module runs in an environment of its own and answers one line at a time."""

from __future__ import annotations
