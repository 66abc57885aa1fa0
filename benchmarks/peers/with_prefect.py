"""Prefect 3: a served flow that suspends itself; its server and its runner are processes of their own."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from benchmarks.peers.line import serve

RUNNER_POLL_SECONDS = 10.0
"""Of its runner, unless it is told otherwise."""
PATIENCE = 120.0


def main() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    api = f"http://127.0.0.1:{port}/api"
    # Read when the library is imported.
    os.environ.update(
        PREFECT_HOME=str(Path.cwd() / "home"), PREFECT_API_URL=api, PREFECT_SERVER_ANALYTICS_ENABLED="false"
    )
    prefect = str(Path(sys.executable).with_name("prefect"))
    command = [prefect, "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with Path("server.txt").open("wb") as log:
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    _until(lambda: _answers(f"{api}/health"))
    with Path("runner.txt").open("wb") as log:
        command = [sys.executable, "-P", "-m", "benchmarks.peers.prefect_flow"]
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    serve(resume=resume)


def resume() -> float:
    """Milliseconds from the call that resumes to the first line of the next task, at a random moment of its poll."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        _until(lambda: client.read_deployments(limit=1))
        mark = Path.cwd() / f"{time.time_ns()}.txt"
        deployment = client.read_deployment_by_name("ask/peer")
        run = client.create_flow_run_from_deployment(deployment.id, parameters={"mark": str(mark)}).id
        _until(lambda: client.read_flow_run(run).state_name == "Suspended")
        time.sleep(random.uniform(0, RUNNER_POLL_SECONDS))
        began = time.time_ns()
        client.resume_flow_run(run)
        _until(lambda: client.read_flow_run(run).state_name == "Completed")
        return (int(mark.read_text()) - began) / 1e6


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _until(holds: Callable[[], object]) -> None:
    """Looks every 0.2 seconds, which is nothing beside what is measured."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {PATIENCE:.0f} s")
        time.sleep(0.2)


if __name__ == "__main__":
    main()
