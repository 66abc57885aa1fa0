"""What is measured: ``python -m benchmarks`` sets flownb beside its peers; some modules here are run by themselves."""

from __future__ import annotations
