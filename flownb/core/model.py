"""The vocabulary: what an execution is, as frozen data.

Points in time are whole milliseconds since 1970 in UTC; spans are whole milliseconds. Values typed ``Json`` hold
what JSON can hold and are never changed in place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

Json = Any


class Status(StrEnum):
    """Where an execution stands; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUSPENDED = "suspended"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        return self in (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)


class StepStatus(StrEnum):
    """Where a step stands."""

    PENDING = "pending"
    RUNNING = "running"
    SUSPENDED = "suspended"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class PauseKind(StrEnum):
    """What an execution waits for; ``retry`` has no links."""

    SUSPEND = "suspend"
    RERUN = "rerun"
    DELAY = "delay"
    RETRY = "retry"
    WAIT = "wait"


class Action(StrEnum):
    """What a link is for."""

    RESUME = "resume"
    CANCEL = "cancel"
    REVIEW = "review"


class EndedBy(StrEnum):
    """What ended a pause: a request, its timer, a named event, the end of another workflow, the step itself
    (``void``: it raised, exited or asked for none), or that the execution went to another machine (``moved``)."""

    RESUME = "resume"
    CANCEL = "cancel"
    TIMER = "timer"
    EVENT = "event"
    WORKFLOW = "workflow"
    VOID = "void"
    MOVED = "moved"


class Attempt(NamedTuple):
    """One try of one run of a step: what a pair of links belongs to."""

    step: str
    run: int
    attempt: int

    @property
    def id(self) -> str:
        """In one word, for who asks by the API."""
        return f"{self.step}/{self.run}/{self.attempt}"

    @classmethod
    def named(cls, id: str) -> Attempt:
        """The attempt of an ``id``; raises ``ValueError`` for what can be none."""
        id.encode()  # half of a surrogate pair is in no name
        step, run, attempt = id.rsplit("/", 2)
        if not all(number.isascii() and number.isdigit() and len(number) < 10 for number in (run, attempt)):
            raise ValueError(f"{id!r} does not end in two counts")
        return cls(step, int(run), int(attempt))


@dataclass(frozen=True)
class Error:
    """Why a step failed: the exception's name, its text, and the traceback's lines (may hold ANSI colours)."""

    ename: str
    evalue: str
    traceback: tuple[str, ...] = ()


@dataclass(frozen=True)
class Retry:
    """How a raising step is tried again: at most ``max`` more times, first after ``first`` ms, at most ``limit`` ms."""

    max: int
    backoff: str = "exponential"
    first: int = 1_000
    limit: int = 600_000

    def wait(self, attempt: int) -> int:
        """Milliseconds between the failure of this attempt, counted from 1, and the next."""
        factor: int = 2 ** min(attempt - 1, 40) if self.backoff == "exponential" else 1
        return min(self.first * factor, self.limit)


@dataclass(frozen=True)
class Policy:
    """What the author set for a step; ``timeout`` in milliseconds of one attempt, None for no limit."""

    timeout: int | None = None
    retry: Retry | None = None
    once: bool = False
    checkpoint: bool = True


@dataclass(frozen=True)
class Checkpoint:
    """The namespace at the end of a step: a file in the snapshot folder and its digest, or why there is none."""

    file: str | None
    digest: str = ""
    size: int = 0
    why: str = ""


@dataclass(frozen=True)
class Step:
    """A code cell of an execution and what came of it.

    ``attempts`` counts within the present run, ``losses`` the servers lost in a row under it. ``asked`` says that the
    present attempt has been given links; ``context`` and ``callback`` are what the present run was given.
    ``last_error`` is what the attempt before, of the same run, raised.
    """

    name: str
    cell_id: str
    policy: Policy = Policy()
    status: StepStatus = StepStatus.PENDING
    runs: int = 0
    attempts: int = 0
    losses: int = 0
    asked: bool = False
    started_at: int | None = None
    finished_at: int | None = None
    compute_ms: int = 0
    exports: Json = field(default_factory=dict)
    error: Error | None = None
    last_error: Error | None = None
    context: Json = None
    callback: Json = None

    @property
    def attempt(self) -> Attempt:
        return Attempt(self.name, self.runs, self.attempts)


@dataclass(frozen=True)
class Signature:
    """Who decided, and what they said with it.

    ``by`` is the name they gave, ``user`` the one that Jupyter's login knows them by, None where they came by a link.
    ``via`` is where they decided: ``link``, ``page``, ``api`` or ``console``; ``ip`` the address they came from;
    ``shown`` the digest of what they saw. ``login`` is what tells their account from every other one.
    """

    by: str | None = None
    user: str | None = None
    via: str = "link"
    ip: str | None = None
    comment: str | None = None
    shown: str | None = None
    login: str | None = None

    @property
    def name(self) -> str | None:
        """What to call them."""
        return self.by or self.user


NOBODY = Signature()
"""Of whom nothing is known."""


@dataclass(frozen=True)
class Decision:
    """A request that was accepted: for what, when, its shape as ``$resume_data`` has it, and whose it was.

    ``which`` is the alternative of a wait that it is about, or the approver whose it is.
    """

    action: Action
    at: int
    request: Json = None
    signature: Signature = NOBODY
    which: str | None = None


class Awaited(StrEnum):
    """What an alternative of a wait waits for."""

    REQUEST = "request"
    FORM = "form"
    TIMER = "timer"
    WORKFLOW = "workflow"
    EVENT = "event"


@dataclass(frozen=True)
class Alternative:
    """One of those of which the first ends a wait; each kind has its own of the fields.

    ``after_ms`` counts from the beginning of the wait. ``workflow`` is started with ``data``, and its failure fails the
    step where ``on_failure`` is ``raise``. An ``event`` counts that came within ``look_back`` ms before.
    """

    name: str
    kind: Awaited
    reason: str | None = None
    form: Json = None
    confirm: bool | None = None
    after_ms: int | None = None
    workflow: str | None = None
    data: Json = None
    on_failure: str = "continue"
    event: str | None = None
    look_back: int = 0

    @property
    def for_people(self) -> bool:
        return self.kind in (Awaited.REQUEST, Awaited.FORM)


@dataclass(frozen=True)
class Approvals:
    """Whose approvals end a pause: so many as are ``needed``, of different ones, of which some are ``given``.

    ``approvers`` are names of accounts and mail addresses; where there are none, everybody with an account is one.
    With ``not_self`` whoever started the execution is none. ``escalate_to`` join them after ``escalate_after`` ms.
    """

    needed: int = 1
    approvers: tuple[str, ...] = ()
    not_self: bool = False
    escalate_after: int | None = None
    escalate_to: tuple[str, ...] = ()
    escalated: bool = False
    given: tuple[Decision, ...] = ()

    @property
    def asked(self) -> tuple[str, ...]:
        """Who is asked now."""
        return (*self.approvers, *(self.escalate_to if self.escalated else ()))

    @property
    def missing(self) -> int:
        """How many are needed still."""
        return self.needed - len(self.given)

    @property
    def silent(self) -> tuple[str, ...]:
        """Who was asked and has not approved."""
        heard = {one.which for one in self.given}
        return tuple(name for name in self.asked if name not in heard)


@dataclass(frozen=True)
class Pause:
    """A wait of one attempt of a step, from its first link to its end.

    ``kind`` is None as long as the step runs: a decision that is there already takes effect at the step's end.
    ``early`` are those after it, as long as it is not known what the step asks for and which of them fits.
    ``remind_every`` is the time between two reminders, of which ``reminded`` have been due.
    """

    of: Attempt
    since: int
    kind: PauseKind | None = None
    wakes_at: int | None = None
    on_timeout: str = "resume"
    reason: str | None = None
    form: Json = None
    confirm: bool | None = None
    context: Json = None
    max_retries: int | None = None
    remind_every: int | None = None
    reminded: int = 0
    alternatives: tuple[Alternative, ...] = ()
    approvals: Approvals | None = None
    decision: Decision | None = None
    ended_by: EndedBy | None = None
    ended_at: int | None = None
    early: tuple[Decision, ...] = ()

    @property
    def live(self) -> bool:
        return self.kind is not None and self.ended_by is None

    @property
    def choices(self) -> tuple[Alternative, ...]:
        """The alternatives that people may decide for."""
        return tuple(one for one in self.alternatives if one.for_people)

    @property
    def asks(self) -> Json:
        """The form that an approval fills: the pause's own, or that of the one thing that people may decide for."""
        return self.choices[0].form if len(self.choices) == 1 else self.form

    def alternative(self, name: str | None) -> Alternative | None:
        return next((one for one in self.alternatives if one.name == name), None)

    def linked_to(self, attempt: Attempt) -> bool:
        """Whether the links of ``attempt`` are about this pause; a wait for another attempt has none."""
        return self.of == attempt and self.kind is not PauseKind.RETRY


@dataclass(frozen=True)
class Response:
    """What a step answers the caller of the HTTP trigger: the first one stands.

    ``body`` is text, ``{"base64": ...}`` or None. It is ``due`` at once where the step says so, else when the execution
    pauses or ends. ``of`` is the attempt that gave it.
    """

    status: int
    headers: Json
    body: Json = None
    due: bool = False
    of: Attempt | None = None


@dataclass(frozen=True)
class Execution:
    """One run of one version of a workflow.

    ``at`` is the place of the step that runs, waits or comes next; ``pause`` the latest pause of that step's present
    attempt or of the one before, ``past`` holds what it replaced in the same transition. ``fresh`` says that the next
    admission opens a new segment. ``checkpoint`` is None until a step has ended. ``resume`` is the request that ended
    the latest pause, and ``resumed_by`` whose it was. ``moved_to`` says where it went, None where it did not.
    """

    id: str
    workflow: str
    notebook: str
    version: str
    trigger: Json
    created_at: int
    steps: tuple[Step, ...]
    status: Status = Status.QUEUED
    at: int = 0
    pause: Pause | None = None
    checkpoint: Checkpoint | None = None
    resume: Json = None
    resumed_by: Signature | None = None
    started_at: int | None = None
    finished_at: int | None = None
    reason: str | None = None
    error: Error | None = None
    fresh: bool = True
    segments: int = 0
    segment_ms: int = 0
    earlier_credits: int = 0
    compute_ms: int = 0
    suspended_ms: int = 0
    warnings: tuple[str, ...] = ()
    replay_of: str | None = None
    response: Response | None = None
    moved_to: str | None = None
    past: tuple[Pause, ...] = ()

    @property
    def step(self) -> Step | None:
        """The step that runs, waits or comes next; None once all have ended."""
        return self.steps[self.at] if self.at < len(self.steps) else None

    @property
    def credits(self) -> int:
        """One for each 30 s of compute begun, at least one a segment; a pause starts a fresh count."""
        return self.earlier_credits + segment_credits(self)


def segment_credits(execution: Execution) -> int:
    """What the present segment has cost so far."""
    return max(1, -(-execution.segment_ms // 30_000)) if execution.segments else 0
