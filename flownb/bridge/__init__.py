"""The server's side of a kernel: a small port, local kernels behind it, and a pool of ready ones."""

from __future__ import annotations
