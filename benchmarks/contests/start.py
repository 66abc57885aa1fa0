"""How long is it from the wish for a kernel to the reply to its first cell?"""

from __future__ import annotations

from benchmarks.contest import Contest, Goal
from benchmarks.participant import Participant, asking

COLD = "jupyter_client, cold start with wait_for_ready"
FORKED = "flownb, a forked kernel"

CONTEST = Contest(
    name="kernel-start",
    title="Start of a kernel to its first reply",
    unit="ms",
    rounds=30,
    quick=3,
    participants=(
        Participant(FORKED, asking("own", "with_flownb", "start", "forked")),
        Participant("flownb, a parked kernel", asking("own", "with_flownb", "parked", "forked")),
        Participant("flownb, a kernel that is not forked", asking("own", "with_flownb", "start")),
        Participant(COLD, asking("own", "with_jupyter_client", "start", kernelspec="python3")),
        Participant(
            "jupyter_client, the same with flownb's provisioner",
            asking("own", "with_jupyter_client", "start", kernelspec="forked"),
        ),
    ),
    goals=(Goal(FORKED, COLD, 0.12),),
)
