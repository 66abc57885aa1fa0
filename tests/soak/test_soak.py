"""Dozens of executions at a time, while servers and kernels are killed at random: nothing is lost or done twice."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable

import pytest

from flownb.core.events import ServerLost, StepFailed
from flownb.core.model import Status
from tests.soak.violence import Violence
from tests.support.replay import Told
from tests.support.server import Server
from tests.support.service import Service, counting_service
from tests.support.workload import Workload

SETTINGS = ("--FlowNB.max_running=4", "--FlowNB.warm_seconds=1")
RETRY = {"retry": {"max": 1, "first": "50ms"}}


@pytest.mark.parametrize(
    ("kills", "size"),
    [
        pytest.param(4, 8, marks=pytest.mark.timeout(300)),
        pytest.param(500, 36, marks=[pytest.mark.slow, pytest.mark.timeout(7200)]),
    ],
)
def test_killed_at_random(make_server: Callable[..., Server], kills: int, size: int) -> None:
    """``FLOWNB_SOAK_SEED`` repeats a run, as far as the machine does the same again."""
    seed = int(os.environ.get("FLOWNB_SOAK_SEED") or random.randrange(1_000_000))
    print(f"\nFLOWNB_SOAK_SEED={seed}")
    counts: Counter[str] = Counter()
    chance = random.Random(seed)
    while (left := kills - counts["kills"]) > 0:
        with counting_service(seconds=0.1) as service:
            counts += one_round(make_server(*SETTINGS), service, size, chance, left)
    print(", ".join(f"{count} {what}" for what, count in counts.items()))


def one_round(server: Server, service: Service, size: int, chance: random.Random, kills: int) -> Counter[str]:
    """All executions from their start to their end, under violence; what happened, counted."""
    work = Workload(server.start(), service, size, flownb=RETRY)
    violence = Violence(server, chance, kills)

    def all_over() -> bool:
        over = work.attend()
        violence.go_on()
        return over

    server.until(all_over, patience=1_200)
    record = work.check()
    killed = violence.done["kernels killed"] + violence.done["segmentation faults"]
    assert sum(deaths(told) for told in record.values()) <= killed
    for told in record.values():
        ended_for_a_reason(told)
    server.close()
    statuses = Counter(str(told.execution.reason or told.execution.status) for told in record.values())
    repeated = Counter({"calls repeated": service.calls.total() - len(service.calls)})
    requests = Counter({"requests accepted": len(work.accepted), "kills": violence.kills})
    return requests + violence.done + repeated + statuses + losses(record)


def deaths(told: Told) -> int:
    """How often a kernel died under the execution while the server lived."""
    return sum(isinstance(move.event, StepFailed) and move.event.error.ename == "KernelDied" for move in told.journal)


def losses(record: dict[str, Told]) -> Counter[str]:
    """How many steps ran when their server was lost."""
    lost = [move for told in record.values() for move in told.journal if isinstance(move.event, ServerLost)]
    return Counter(
        {"steps lost with a server": sum(move.before.steps[move.before.at].status == "running" for move in lost)}
    )


def ended_for_a_reason(told: Told) -> None:
    """An execution fails of its kernel's death, of three servers lost in a row, or of a checkpoint never written.

    The last is so where the kernel died after its step and before the checkpoint, and the next step needs another one.
    """
    execution, step = told.execution, told.execution.step
    if execution.status is Status.SUCCEEDED:
        return
    assert execution.status is Status.FAILED
    assert step is not None
    assert step.policy.retry is not None
    match execution.reason:
        case "CrashLoop":
            assert step.losses == 3
        case "checkpoint_missing":
            assert execution.checkpoint is not None
            assert "the kernel died" in execution.checkpoint.why
        case reason:
            assert (reason, step.attempts) == ("KernelDied", step.policy.retry.max + 1)
