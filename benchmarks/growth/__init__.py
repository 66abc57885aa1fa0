"""How cost grows with size, each question a module of its own."""

from __future__ import annotations

from benchmarks.growth import cells, executions, namespace, parallel

ALL = (executions.TIMES, executions.MEMORY, namespace.GROWTH, cells.GROWTH, parallel.GROWTH)
