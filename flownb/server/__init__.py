"""Inside the Jupyter server: scheduling, running, and what is served over HTTP."""

from __future__ import annotations
