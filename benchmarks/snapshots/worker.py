"""One process of the comparison: ``save`` or ``load`` one namespace with one tool; prints what it measured as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.snapshots.namespaces import NAMESPACES
from benchmarks.snapshots.tools import TOOLS


def main(what: str, tool_name: str, namespace: str, folder: Path) -> dict[str, object]:
    tool = TOOLS[tool_name]()
    chosen = NAMESPACES[namespace]
    tool.begin(folder, chosen.code)
    if what == "save":
        exec(compile(chosen.code, "<cell>", "exec"), tool.namespace)
        return {"save": _ms(lambda: tool.save(folder)), "again": _ms(lambda: tool.save(folder))}
    for package in chosen.imports:  # as a warm kernel has them: not what is measured
        __import__(package)
    took = _ms(lambda: tool.load(folder))
    wrong = [truth for truth in chosen.truths if not _holds(truth, tool.namespace)]
    return {"load": took, "wrong": wrong}


def _ms(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def _holds(truth: str, namespace: dict[str, object]) -> bool:
    try:
        return bool(eval(truth, namespace))
    except Exception:
        return False


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]))))
