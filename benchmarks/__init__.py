"""What is measured, one module a question; run one with ``python -m benchmarks.NAME``."""

from __future__ import annotations
