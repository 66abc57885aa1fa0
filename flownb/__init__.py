"""Durable workflows that are Jupyter notebooks.

Importing this package stays light: it runs inside kernels, where neither the server nor the store is needed.
``flownb.pd`` and ``flownb.flow`` are what a notebook's author uses.
"""

from __future__ import annotations

__version__ = "0.1.0"
