"""The flow that the benchmark's Prefect serves."""

from __future__ import annotations

import time
from pathlib import Path

from prefect import flow, task
from prefect.flow_runs import suspend_flow_run


@task(persist_result=True)
def before() -> int:
    return 42


@task(persist_result=True)
def after(mark: str) -> None:
    now = time.time_ns()
    Path(mark).write_text(str(now))


@flow(persist_result=True)
def ask(mark: str) -> None:
    before()
    suspend_flow_run(timeout=3600)
    after(mark)


if __name__ == "__main__":
    ask.serve(name="peer")
