"""An execution that a test takes from event to event, on a clock of its own and with a store's memory of pauses."""

from __future__ import annotations

from typing import Any

from flownb.core.durations import SECOND
from flownb.core.events import (
    Admitted,
    Continued,
    Event,
    Migrated,
    PauseAsked,
    PauseCall,
    Postponed,
    RequestArrived,
    ServerLost,
    StepFailed,
    StepFinished,
    StepStarted,
    TimerFired,
)
from flownb.core.model import (
    Action,
    Attempt,
    Checkpoint,
    Error,
    Execution,
    Json,
    Pause,
    PauseKind,
    Policy,
    Signature,
    Status,
    Step,
    StepStatus,
)
from flownb.core.transitions import Answer, apply
from tests.core.invariants import check
from tests.core.journal import Key, Move, kept, key, written

START = 1_800_000_000_000
SAVED = Checkpoint("snapshot", "digest", 1)
ANA = Signature(by="Ana", via="page")
REPAIRED = Checkpoint("repaired")


def suspend(after_ms: int = 10 * SECOND, **options: Any) -> PauseCall:
    return PauseCall(PauseKind.SUSPEND, after_ms, **options)


def delay(after_ms: int = 10 * SECOND) -> PauseCall:
    return PauseCall(PauseKind.DELAY, after_ms)


def rerun(max_retries: int = 10, context: Json = None, after_ms: int = 10 * SECOND) -> PauseCall:
    return PauseCall(PauseKind.RERUN, after_ms, context=context, max_retries=max_retries)


class Play:
    """Steps ``a``, ``b`` ... with the policies given; whatever happens, the invariants hold."""

    def __init__(self, *policies: Policy) -> None:
        steps = tuple(Step(name, f"cell-{name}", policy) for name, policy in zip("abcdef", policies, strict=False))
        self.now = START
        self.journal: list[Move] = []
        self.pauses: dict[Key, Pause] = {}
        self.execution = Execution("execution", "flow", "flow.ipynb", "version", {"login": "starter"}, START, steps)

    @property
    def step(self) -> Step:
        """The step in hand."""
        assert self.execution.step
        return self.execution.step

    def named(self, name: str) -> Step:
        return next(step for step in self.execution.steps if step.name == name)

    def happen(self, event: Event) -> Answer | None:
        outcome = apply(self.execution, event, self.now)
        self.journal.append(Move(self.execution, event, self.now, outcome))
        self.execution = kept(outcome.execution)
        self.pauses |= {key(pause): pause for pause in written(outcome.execution)}
        check(self.journal)
        return outcome.answer

    def start(self) -> Attempt:
        """The next step runs; what its links will belong to."""
        if self.execution.status is Status.QUEUED:
            self.happen(Admitted())
        if self.step.status is StepStatus.PENDING:
            self.happen(StepStarted())
        return self.step.attempt

    def begin(self) -> Attempt:
        """The next step runs, its links are out."""
        attempt = self.start()
        self.happen(PauseAsked())
        return attempt

    def finish(self, *pauses: PauseCall, compute_ms: int = 1_000, **results: Any) -> Attempt:
        """The next step runs to its end; what its links belong to."""
        attempt = self.begin()
        self.happen(StepFinished(results.pop("exports", {}), SAVED, compute_ms, pauses, **results))
        return attempt

    def fail(self, ename: str = "ValueError", **options: Any) -> Attempt:
        attempt = self.begin()
        self.happen(StepFailed(Error(ename, "it went wrong"), **options))
        return attempt

    def lose(self, servers: int) -> None:
        """So many servers in a row are lost under the next step."""
        for _ in range(servers):
            self.begin()
            self.happen(ServerLost())

    def wait(self) -> None:
        """The timer of the live pause fires when it is due."""
        assert self.execution.pause
        assert self.execution.pause.wakes_at
        self.now = self.execution.pause.wakes_at
        self.happen(TimerFired())

    def continue_(self, attempt: Attempt, request: Json = None) -> tuple[int, str]:
        """A person lets go on what they opened at the pause of an attempt."""
        pause = self.pauses.get((attempt, False))
        answer = self.happen(Continued(attempt, REPAIRED, "changed 'x'", request, pause))
        assert answer
        return answer.code, answer.status

    def migrate(self, of: Attempt, version: str, *names: str) -> tuple[int, str]:
        """Somebody moves the execution to a version with steps of these names."""
        steps = tuple(Step(name, f"cell-{name}-{version}") for name in names)
        answer = self.happen(Migrated(of, version, steps, ("moved",)))
        assert answer
        return answer.code, answer.status

    def postpone(self, until: int, attempt: Attempt | None = None) -> tuple[int, str]:
        """Somebody asks for more time: the answer's code and word."""
        pause = self.pauses.get((attempt, False)) if attempt else None
        answer = self.happen(Postponed(until, attempt, pause, ANA))
        assert answer
        return answer.code, answer.status

    def ask(
        self,
        action: Action,
        attempt: Attempt | None = None,
        request: Json = None,
        signature: Signature = ANA,
        branch: str | None = None,
        which: str | None = None,
    ) -> tuple[int, str]:
        """A request by a link of ``attempt``, or by the API: its code and word."""
        pause = self.pauses.get((attempt, False)) if attempt else None
        answer = self.happen(RequestArrived(action, request, attempt, pause, signature, branch, which))
        assert answer
        return answer.code, answer.status
