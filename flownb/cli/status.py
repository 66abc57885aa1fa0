"""Exit statuses besides 0."""

from __future__ import annotations

UNSUCCESSFUL = 1
"""The execution failed or was cancelled; for ``check``, a notebook has errors."""

USAGE = 2
"""Wrong usage or bad input, as the server may say as well."""

NO_SERVER = 3
"""No server that could do it."""

INTERRUPTED = 130
"""Ctrl-C, as shells count it."""
