"""What can happen to an execution. ``transitions`` says what comes of it."""

from __future__ import annotations

from dataclasses import dataclass

from flownb.core.model import (
    NOBODY,
    Action,
    Alternative,
    Approvals,
    Attempt,
    Checkpoint,
    EndedBy,
    Error,
    Json,
    Pause,
    PauseKind,
    Response,
    Signature,
    Step,
)


@dataclass(frozen=True)
class Admitted:
    """A slot is free: the execution begins or goes on."""


@dataclass(frozen=True)
class StepStarted:
    """The kernel is ready and the next step goes to it."""

    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class PauseAsked:
    """The running step called ``pd.flow`` for a pause, so its links are out; the fields are those of the call."""

    confirm: bool | None = None
    form: Json = None
    alternatives: tuple[Alternative, ...] = ()
    approvals: Approvals | None = None


@dataclass(frozen=True)
class PauseCall:
    """One call for a pause, in the order in which the step made them."""

    kind: PauseKind
    after_ms: int
    on_timeout: str = "resume"
    reason: str | None = None
    form: Json = None
    confirm: bool | None = None
    context: Json = None
    max_retries: int | None = None
    remind_every: int | None = None
    alternatives: tuple[Alternative, ...] = ()
    approvals: Approvals | None = None


@dataclass(frozen=True)
class ExitCall:
    """The step called ``pd.flow.exit``."""

    reason: str | None = None


@dataclass(frozen=True)
class Responded:
    """The running step has called ``pd.respond`` for an answer at once."""

    response: Response


@dataclass(frozen=True)
class StepFinished:
    """The running step came to its end; ``response`` is what it said in its first call of ``pd.respond``."""

    exports: Json
    checkpoint: Checkpoint
    compute_ms: int
    pauses: tuple[PauseCall, ...] = ()
    exit: ExitCall | None = None
    warnings: tuple[str, ...] = ()
    response: Response | None = None


@dataclass(frozen=True)
class StepFailed:
    """The running step raised, its kernel died or never came; ``final`` where another attempt is of no use.

    ``reason`` is what the execution gives as its own, if not the exception's name. ``response`` is what it had called
    ``pd.respond`` with: of a step that failed it counts only if it was for an answer at once.
    """

    error: Error
    compute_ms: int = 0
    final: bool = False
    reason: str | None = None
    response: Response | None = None


@dataclass(frozen=True)
class RequestArrived:
    """Somebody asks to resume or cancel: the pause of ``attempt`` or, where that is None, whatever waits now.

    ``pause`` is what the record holds of that attempt's pause. ``branch`` is what the link is for: an alternative of
    a wait, or an approver; ``which`` an alternative that was named by who may write.
    """

    action: Action
    request: Json = None
    attempt: Attempt | None = None
    pause: Pause | None = None
    signature: Signature = NOBODY
    branch: str | None = None
    which: str | None = None


@dataclass(frozen=True)
class Happened:
    """What the alternative ``which`` of the live wait of attempt ``of`` waits for; ``by`` says which kind of thing.

    ``request`` is what the workflow is told of it. ``error`` is how another workflow ended, if not well; ``fatal``
    where it could not begin, which fails the step whatever the alternative says.
    """

    of: Attempt
    which: str
    by: EndedBy
    request: Json = None
    error: Error | None = None
    fatal: bool = False


@dataclass(frozen=True)
class Postponed:
    """Somebody puts the deadline of a pause off, to ``until``; ``attempt`` and ``pause`` as in ``RequestArrived``."""

    until: int
    attempt: Attempt | None = None
    pause: Pause | None = None
    signature: Signature = NOBODY


@dataclass(frozen=True)
class Continued:
    """A person has opened the pause of attempt ``of``, maybe changed variables, and lets the execution go on.

    ``changes`` says what was changed, in words; ``request`` is as where somebody resumes by the REST API, and ``pause``
    what the record holds of that pause.
    """

    of: Attempt
    checkpoint: Checkpoint
    changes: str = ""
    request: Json = None
    pause: Pause | None = None
    signature: Signature = NOBODY


@dataclass(frozen=True)
class Migrated:
    """While it waits in the pause of attempt ``of``, the execution moves to another version.

    ``steps`` are all those of that version, as they begin; what was run of them is the same as before.
    """

    of: Attempt
    version: str
    steps: tuple[Step, ...]
    warnings: tuple[str, ...] = ()
    signature: Signature = NOBODY


@dataclass(frozen=True)
class TimerFired:
    """The time of the live pause has come."""


@dataclass(frozen=True)
class ReminderDue:
    """Nobody has answered the live pause, and it is time to say so again."""


@dataclass(frozen=True)
class EscalationDue:
    """The approvals of the live pause are not all there, and it is time to ask others too."""


@dataclass(frozen=True)
class Moved:
    """The execution goes on elsewhere, at the address ``to``; it happens again where that becomes known later."""

    to: str | None = None


@dataclass(frozen=True)
class Arrived:
    """The execution has come from another machine, with all that was on record of it; ``origin`` is its address."""

    origin: str


@dataclass(frozen=True)
class ServerLost:
    """A server starts and finds the execution running: the one that ran it is gone without a word.

    Or ``lost`` is something else that a step runs by, such as the gateway that its kernel is on.
    """

    lost: str = "the server"


@dataclass(frozen=True)
class Released:
    """The server stops in order and gives the execution back; ``begun`` unless its step was not sent to the kernel."""

    begun: bool = True


Event = (
    Admitted
    | StepStarted
    | PauseAsked
    | Responded
    | StepFinished
    | StepFailed
    | RequestArrived
    | Happened
    | Postponed
    | Continued
    | Migrated
    | TimerFired
    | ReminderDue
    | EscalationDue
    | ServerLost
    | Released
    | Moved
    | Arrived
)
