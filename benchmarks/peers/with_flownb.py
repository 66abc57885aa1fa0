"""flownb's own kernels, without its server: from the wish for a kernel to the reply to its first cell.

With the argument ``forked`` they are forked, as a server does by default.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager

from benchmarks.peers.line import serve
from flownb.bridge.forkservers import PRELOAD
from flownb.bridge.local import LocalKernel, LocalKernels
from flownb.bridge.pool import Pool
from flownb.bridge.port import Cell, Kernels, Spec

SPEC = Spec("python3", Path.cwd())
CONTEXT = json.dumps(
    {
        "mode": "step",
        "step": "first",
        "links": {f"{action}_url": f"http://host/{action}" for action in ("resume", "cancel", "review")},
        "steps": {"trigger": {"event": {"body": None}, "context": {}}},
        "context": {"id": "1", "trace_id": "x", "test": False, "run": {"runs": 1, "context": None}},
        "parameters": None,
        "max_export_bytes": 1_000_000,
    }
)
PARKED_SECONDS = 1.5
"""After which a spare kernel is ready, and whatever was started with it at rest."""


async def first_reply(kernels: Kernels) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    kernel = await kernels.start(SPEC)
    await kernel.execute(Cell("1", CONTEXT)).finished()
    took = 1000 * (time.perf_counter() - began)
    await kernel.shutdown()
    return took


def main(forked: bool) -> None:
    with asyncio.Runner() as runner:
        loop = runner.get_loop()

        folder = Path("k").absolute()
        folder.mkdir()

        async def make() -> tuple[LocalKernels, Pool[LocalKernel]]:
            kernels = LocalKernels(KernelSpecManager(), folder, PRELOAD if forked else None)
            return kernels, Pool(kernels, 1)

        kernels, pool = runner.run(make())

        def start() -> float:
            return loop.run_until_complete(first_reply(kernels))

        def parked() -> float:
            loop.run_until_complete(asyncio.sleep(PARKED_SECONDS))
            return loop.run_until_complete(first_reply(pool))

        serve(start=start, parked=parked)
        runner.run(pool.close())


if __name__ == "__main__":
    main("forked" in sys.argv[1:])
