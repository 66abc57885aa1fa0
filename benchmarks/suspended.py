"""What do 1,000 suspended executions hold? Processes, memory, processor and disk, once their warm time is over.

``python -m benchmarks.suspended [EXECUTIONS]``; each has a megabyte of numbers of its own and half of it in common with
all others. Needs numpy.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.support.notebooks import cell, write
from tests.support.server import Server

MAKE = """
import numpy as np
own = np.random.default_rng().random(125_000)
common = np.arange(62_500)
"""
IDLE_SECONDS = 20.0


def main(executions: int) -> None:
    with tempfile.TemporaryDirectory(prefix="fb") as folder:
        root = Path(folder) / "root"
        root.mkdir()
        server = Server(root, "--FlowNB.warm_seconds=1", "--FlowNB.max_running=2", "--FlowNB.runs_dir=").start()
        try:
            _measure(server, executions)
        finally:
            server.stop()


def _measure(server: Server, executions: int) -> None:
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    name = write(server.root, "w.ipynb", cell(MAKE, "make"), cell("pd.flow.suspend();", "ask"), "float(own.sum())")
    first = server.submit(name)
    server.wait(first, "suspended")
    time.sleep(3)
    before = _state(process)
    began = time.monotonic()
    ids = [server.submit(name) for _ in range(executions - 1)]
    for execution in ids:
        while server.get(execution)["status"] != "suspended":
            time.sleep(0.2)
    took = time.monotonic() - began
    time.sleep(3)
    after = _state(process)
    cpu = process.cpu_times()
    time.sleep(IDLE_SECONDS)
    idle = sum(process.cpu_times()[:2]) - sum(cpu[:2])
    disk = sum(
        file.stat().st_size for file in (server.root / ".flownb" / "snapshots" / "pool").rglob("*") if file.is_file()
    )
    print(f"{executions} suspended in {took:.0f} s; one suspended before them")
    print(f"kernels           {before[0]:6} then {after[0]:6}   (spare ones, which belong to no execution)")
    print(f"server's memory   {before[1]:6.1f} then {after[1]:6.1f} MB")
    print(f"server's CPU      {idle:6.2f} s in {IDLE_SECONDS:.0f} s")
    print(f"blobs on disk     {disk / 1e6:6.1f} MB for {executions * 1.5:.1f} MB of numbers")
    began = time.monotonic()
    server.post(first, "resume")
    server.wait(first, "succeeded")
    print(f"resumed to its end in {(time.monotonic() - began) * 1000:.0f} ms")


def _state(process: psutil.Process) -> tuple[int, float]:
    """Kernels below the server, and the server's own memory in MB."""
    return len(process.children(recursive=True)), process.memory_info().rss / 1e6


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
