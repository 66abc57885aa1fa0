"""Loaded into a server as its configuration: notes what each callback of the event loop costs in CPU time."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import time
from pathlib import Path

LONGEST = 200
"""So many of the dearest callbacks are kept."""

_costs: list[tuple[float, str]] = []
_run = asyncio.Handle._run
_count = 0


def _timed(handle: asyncio.Handle) -> None:
    global _count
    began = time.thread_time()
    _run(handle)
    spent = 1000 * (time.thread_time() - began)
    _count += 1
    if len(_costs) < LONGEST or spent > _costs[-1][0]:
        _costs.append((spent, repr(handle)[:300]))
        _costs.sort(reverse=True)
        del _costs[LONGEST:]


def _report() -> None:
    found = {"callbacks": _count, "longest_ms": _costs}
    Path(os.environ["FLOWNB_CPU_REPORT"]).write_text(json.dumps(found))


setattr(asyncio.Handle, "_run", _timed)  # noqa: B010 - mypy takes no assignment to a method
atexit.register(_report)
