"""On the path of a server, it takes the folder over from one that is silent for a second, and not for twenty."""

from __future__ import annotations

from flownb.store import lease

lease.SILENCE = 1.0
