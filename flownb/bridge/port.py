"""What the server needs of a kernel, wherever it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from flownb.core.errors import FlowNBError
from flownb.core.model import Error, Json


class KernelError(FlowNBError):
    """A kernel that did not do what was asked; ``ename`` is the name under which a step fails of it."""

    ename = "KernelError"


class KernelStartFailed(KernelError):
    """A kernel that never came up; its own last words are in the message."""

    ename = "KernelStartFailed"


class KernelDied(KernelError):
    """The kernel's process ended while it was needed."""

    ename = "KernelDied"


class GatewayLost(KernelError):
    """The gateway that the kernel runs behind cannot be reached any more: nobody knows what became of the kernel."""

    ename = "GatewayLost"


class KernelBusy(KernelError):
    """The kernel runs a cell, and did not answer in the time it was given."""

    ename = "KernelBusy"


class StepTimeout(KernelError):
    """A cell that ran longer than its ``timeout``."""

    ename = "StepTimeout"


class AskFailed(KernelError):
    """flownb's own code in the kernel raised; ``ename`` is its exception's name."""

    def __init__(self, ename: str, evalue: str) -> None:
        super().__init__(evalue)
        self.ename = ename


@dataclass(frozen=True)
class Spec:
    """Which kernel is wanted, and where it works; ``nice`` says how much less urgent than the server it is.

    ``gateway`` is the name or a label of the gateways that will do; None for any.
    """

    kernelspec: str
    cwd: Path
    memory_limit: int | None = None
    nice: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)
    gateway: str | None = None


@dataclass(frozen=True)
class Cell:
    """One cell to run: the author's source, and what ``pd`` is to know, as JSON text; ``timeout`` in milliseconds.

    ``checkpoint`` holds the arguments of ``checkpoint.save``, which the kernel calls once the cell has ended well; none
    where there is to be no checkpoint.
    ``on_pause_asked`` and ``on_mail_asked`` hear of each call that asks for a pause or sends a mail when it is made,
    and ``on_responded`` of one that answers the caller at once, unless the word gets lost.
    """

    source: str
    context: str
    timeout: int | None = None
    checkpoint: Sequence[str] = ()
    on_pause_asked: Callable[[Json], None] = lambda call: None
    on_mail_asked: Callable[[Json], None] = lambda mail: None
    on_responded: Callable[[Json], None] = lambda said: None


@dataclass(frozen=True)
class Ran:
    """What came of a cell: its outputs (nbformat), its error or else what ``pd`` collected, and its time in ms."""

    outputs: list[Json]
    error: Error | None
    collected: Json
    compute_ms: int


class Running(Protocol):
    """A cell that has been sent."""

    def saved(self) -> Json:
        """What the kernel says of the cell's checkpoint; for cells that have one, after ``finished``.

        Raises ``AskFailed`` or ``KernelDied``.
        """

    @property
    def outputs(self) -> list[Json]:
        """The outputs so far."""

    @property
    def compute_ms(self) -> int:
        """How long it has run, or ran."""

    async def finished(self) -> Ran:
        """Raises ``KernelDied``, ``GatewayLost`` or ``StepTimeout``; the kernel is of no use after any."""


class Talks(Protocol):
    """What runs cells and answers questions, one at a time."""

    def execute(self, cell: Cell) -> Running:
        """Send a cell at once; what it gives is awaited apart, so that more can be sent right behind it."""

    async def ask(self, module: str, function: str, *arguments: str) -> Json:
        """What a function of ``flownb.kernel`` returns, run silently after what was sent before.

        Raises ``AskFailed`` where it raised, or was not run because the cell before it raised; ``KernelDied``.
        """


class Kernel(Talks, Protocol):
    """A kernel that belongs to one execution."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the record of an execution is to say of the kernel that it has."""

    def spare(self, wanted: Callable[[], None] | None) -> None:
        """Nobody uses the kernel for now: ``wanted`` is called where its place is needed; None takes that back."""

    async def interrupt(self) -> None:
        """Raise ``KeyboardInterrupt`` in the cell that runs; never raises."""

    async def shutdown(self) -> None:
        """End the kernel; never raises, may be called again."""

    def dismiss(self) -> None:
        """Begin to end the kernel; its ``Kernels`` see to the rest."""

    @property
    def died(self) -> asyncio.Future[str]:
        """Done, with a description, once the process has ended by itself."""


class Kernels(Protocol):
    """Where kernels come from."""

    async def start(self, spec: Spec) -> Kernel:
        """A kernel that is ready for cells; raises ``KernelStartFailed`` or, where it was killed, ``KernelDied``.

        Raises ``GatewayLost`` where that was lost while the kernel started.
        """

    async def expect(self, kernelspec: str) -> None:
        """Make what all such kernels have in common ready, for one may be asked for soon; never raises."""

    async def close(self) -> None:
        """End all kernels that were started and not shut down."""


class Parking(Kernels, Protocol):
    """Keeps kernels ready ahead of need. ``taken`` counts what ``start`` gave, by origin: ``parked`` or ``new``."""

    taken: dict[str, int]

    @property
    def parked(self) -> int:
        """How many are ready."""
