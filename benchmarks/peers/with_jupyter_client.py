"""jupyter_client: a kernel is started, waited for as the library's own documentation does, and runs one cell."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from jupyter_client.manager import start_new_kernel

from benchmarks.peers.line import serve

FORKED = {
    "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    "display_name": "Forked",
    "language": "python",
    "metadata": {"kernel_provisioner": {"provisioner_name": "flownb-fork"}},
}
"""A kernelspec as anybody may write one."""


def start(kernelspec: str) -> float:
    """Milliseconds from the start of the process to the first reply; ``start_new_kernel`` waits for readiness."""
    began = time.perf_counter()
    manager, client = start_new_kernel(kernel_name=kernelspec)
    client.execute_interactive("1", store_history=False)
    took = 1000 * (time.perf_counter() - began)
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    return took


def first_line() -> float:
    """Milliseconds from the start of the process until the first line of a cell runs."""
    began = time.time_ns()
    manager, client = start_new_kernel()
    said: list[str] = []

    def take(message: dict[str, dict[str, str]]) -> None:
        said.append(message["content"].get("text", ""))

    client.execute_interactive("import time; print(time.time_ns())", output_hook=take)
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    return (int("".join(said)) - began) / 1e6


if __name__ == "__main__":
    spec = Path("kernels/forked/kernel.json")
    spec.parent.mkdir(parents=True)
    spec.write_text(json.dumps(FORKED))
    os.environ["JUPYTER_PATH"] = str(Path.cwd())
    serve(start=start, first_line=first_line)
