"""DBOS on SQLite: workflows that wait in ``recv``, and are sent what they wait for.

Arguments: seconds between two polls of its listener, as text; none for its default.
"""

from __future__ import annotations

import random
import sys
import time
from typing import Any

from dbos import DBOS, DBOSConfig, WorkflowHandle

from benchmarks.peers.line import serve

POLL_SECONDS = 1.0
"""Of its listener, unless it is told otherwise."""
PATIENCE = 3600


@DBOS.step()
def before() -> int:
    return 1


@DBOS.workflow()
def ask() -> int:
    before()
    DBOS.set_event("waits", True)
    DBOS.recv("go", timeout_seconds=PATIENCE)
    return time.time_ns()


def resume() -> float:
    """Milliseconds from ``send`` to the line after ``recv``; the send comes at a random moment between two polls."""
    (handle,) = _waiting(1)
    time.sleep(random.uniform(0, POLL_SECONDS))
    began = time.time_ns()
    DBOS.send(handle.workflow_id, "yes", topic="go")
    return float(handle.get_result() - began) / 1e6


def herd(count: int) -> float:
    """Milliseconds from the first ``send`` until all have finished."""
    handles = _waiting(count)
    time.sleep(random.uniform(0, POLL_SECONDS))
    began = time.perf_counter()
    for handle in handles:
        DBOS.send(handle.workflow_id, "yes", topic="go")
    for handle in handles:
        handle.get_result()
    return 1000 * (time.perf_counter() - began)


def wait(count: int) -> None:
    """Have so many more workflows wait."""
    _waiting(count)


def _waiting(count: int) -> list[WorkflowHandle[Any]]:
    handles = [DBOS.start_workflow(ask) for _ in range(count)]
    for handle in handles:
        DBOS.get_event(handle.workflow_id, "waits", timeout_seconds=PATIENCE)
    return handles


def main(poll: str | None = None) -> None:
    # Its server for administration has a fixed port, and nothing to do with what is measured.
    config = DBOSConfig(name="peer", system_database_url="sqlite:///dbos.sqlite", run_admin_server=False)
    if poll is not None:
        config["notification_listener_polling_interval_sec"] = float(poll)
    DBOS(config=config)
    DBOS.launch()
    serve(resume=resume, herd=herd, wait=wait)
    DBOS.destroy()


if __name__ == "__main__":
    main(*sys.argv[1:])
