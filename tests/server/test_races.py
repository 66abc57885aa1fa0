"""What happens at the same moment: one wins, and everybody is told the same."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import httpx

from tests.support.notebooks import cell
from tests.support.server import Server, step

ROUNDS = 50
TOGETHER = 4
CLOSE = 0.005
"""Seconds around the timer within which the request is sent."""

SOURCE = f"""
run = pd.context.run
seen = [*globals().get('seen', ()), 'callback_request' in run]
if run.runs <= {ROUNDS}:
    pd.flow.rerun(100, None, 1_000)
else:
    pd.export('seen', seen)
"""


def race(server: Server) -> None:
    """One execution that waits for a timer many times; each time a request comes within 5 ms of it."""
    execution = server.run(cell(SOURCE, "race"))
    won = [False]
    with httpx.Client() as client:
        for run in range(1, ROUNDS + 1):
            answer = _ask_when_due(server, client, execution, run)
            assert (answer.status_code, answer.json()["status"]) in ((200, "resumed"), (410, "expired"))
            won.append(answer.status_code == 200)
    done = server.wait(execution, "succeeded")
    assert step(done, "race")["exports"]["seen"] == won


def _ask_when_due(server: Server, client: httpx.Client, execution: str, run: int) -> httpx.Response:
    waiting = _waiting(server, execution, run)
    if waiting is None:
        # The timer was faster than our look: its link tells us so as well.
        return httpx.Response(410, json={"status": "expired"})
    due = datetime.fromisoformat(waiting["wakes_at"]).timestamp()
    time.sleep(max(0.0, due - time.time() + random.uniform(-CLOSE, CLOSE)))
    return client.post(waiting["resume_url"])


def _waiting(server: Server, execution: str, run: int) -> dict[str, str] | None:
    while True:
        found = server.get(execution)
        if step(found, "race")["runs"] > run:
            return None
        if found["waiting"] is not None and found["waiting"]["runs"] == run:
            waiting: dict[str, str] = found["waiting"]
            return waiting


def test_a_request_and_the_timer_at_the_same_moment_200_times(shared_server: Server) -> None:
    with ThreadPoolExecutor(TOGETHER) as pool:
        for outcome in [pool.submit(race, shared_server) for _ in range(TOGETHER)]:
            outcome.result()
