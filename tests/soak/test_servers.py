"""Three servers on one Postgres, of which one after the other is killed or frozen: nothing is lost or done twice."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from flownb.core.model import Status
from tests.support import postgres
from tests.support.server import Server
from tests.support.service import counting_service
from tests.support.workload import Workload

LEASE = 2.0
SETTINGS = (f"--FlowNB.lease_seconds={LEASE}", "--FlowNB.max_running=2", "--FlowNB.warm_seconds=1")


@pytest.mark.parametrize(
    ("strikes", "size"),
    [
        pytest.param(2, 6, marks=pytest.mark.timeout(300)),
        pytest.param(24, 200, marks=[pytest.mark.slow, pytest.mark.timeout(3600)]),
    ],
)
def test_one_of_three_is_struck_every_few_seconds(
    make_server: Callable[..., Server], folders: Callable[[], Path], strikes: int, size: int
) -> None:
    """``FLOWNB_SOAK_SEED`` repeats a run, as far as the machine does the same again."""
    seed = int(os.environ.get("FLOWNB_SOAK_SEED") or random.randrange(1_000_000))
    print(f"\nFLOWNB_SOAK_SEED={seed}")
    chance, root, url = random.Random(seed), folders(), postgres.new_database()
    servers = [
        make_server(*SETTINGS, root=root, store=url, name=f"{root.name}-{number}").start() for number in range(3)
    ]
    with counting_service(seconds=0.1) as service:
        work = Workload(servers[0], service, size)
        blows = Blows(servers, chance, strikes)

        def all_over() -> bool:
            work.server = chance.choice(blows.at_work)
            over = work.attend()
            blows.go_on()
            return over and not blows.left

        servers[0].until(all_over, patience=3_000)
        blows.end()
        record = work.check()
    reasons = Counter(str(told.execution.reason or told.execution.status) for told in record.values())
    assert set(reasons) <= {str(Status.SUCCEEDED), "CrashLoop"}
    again = service.calls.total() - len(service.calls)
    print(f"{blows.done}, {reasons}, {len(work.accepted)} requests accepted, {again} calls repeated")


class Blows:
    """Strikes one server, and lets it come back once the others have taken over what it had."""

    def __init__(self, servers: list[Server], chance: random.Random, strikes: int) -> None:
        self.left = strikes
        self.done: Counter[str] = Counter()
        self._servers = servers
        self._chance = chance
        self._down: Server | None = None
        self._next = time.monotonic() + 1

    @property
    def at_work(self) -> list[Server]:
        """Those that have not been struck."""
        return [server for server in self._servers if server is not self._down]

    def go_on(self) -> None:
        """Strike, or let the one that was struck come back, if it is time to."""
        if time.monotonic() < self._next:
            return
        if self._down is not None:
            self.end()
        elif self.left:
            self.left -= 1
            self._down = self._chance.choice(self._servers)
            self._strike(self._down)
        self._next = time.monotonic() + 2 * LEASE

    def _strike(self, server: Server) -> None:
        if self._chance.random() < 0.7:
            server.kill()
            self.done["killed"] += 1
        else:
            assert server.process is not None
            os.kill(server.process.pid, signal.SIGSTOP)
            self.done["frozen"] += 1

    def end(self) -> None:
        """Whoever is down comes back."""
        server, self._down = self._down, None
        if server is None:
            return
        if server.died is not None:
            server.start()
            return
        assert server.process is not None
        os.kill(server.process.pid, signal.SIGCONT)
        server.until(lambda: server.http.post("/drain", json={"on": False}).status_code == 200)
