"""The cell that is running, as ``pd`` sees it: a step or setup cell of an execution, or one run by hand.

Kept in one module variable rather than a context variable, so that the threads of a step find their step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from flownb.core.errors import FlowNBError
from flownb.core.jsonvalue import to_json
from flownb.core.model import Response
from flownb.kernel.links import INERT, Links, WaitLinks
from flownb.kernel.memory import BY_HAND
from flownb.kernel.record import Context, Steps

# Word for word the message of the original documentation.
CANCELED = "Workflow execution canceled — this may be due to pd.flow.suspend() usage (not supported in test)"

_UNKNOWN = (
    *("id", "trace_id", "workflow_id", "workflow_name", "deployment_id", "ts", "deadline", "replay", "resume"),
    *("resumed_by", "idempotency_key"),
)


MOST_BYTES = 1024 * 1024
"""As in a server that was not told otherwise."""


class WorkflowCanceled(FlowNBError):
    """Stands at the end of a cell run by hand that asked for a pause, so that Run All stops there."""


class Keeper(Protocol):
    """Where data stores are kept."""

    def ask(self, op: str, store: str, **said: Any) -> Any:
        """What comes of an operation. Raises ``NoSuchKey``, ``Changed``, ``InvalidValue``, or ``FlowNBError``."""


class Cell(Protocol):
    """What ``pd`` asks of the running cell."""

    steps: Steps
    context: Context

    @property
    def inputs(self) -> dict[str, Any] | None:
        """What the notebook's settings declare; None where nobody knows the notebook."""

    data: Keeper
    most_bytes: int
    """The largest value that may be exported or kept, as JSON."""

    def pause(self, call: dict[str, object]) -> Links:
        """Notes that ``call`` asked for a pause at the end of this cell."""

    def mail(self, mail: dict[str, object]) -> None:
        """Notes that ``mail`` is to leave at the end of this cell."""

    def respond(self, response: Response) -> None:
        """Notes what the caller of the HTTP trigger is to be answered."""

    def exit(self, reason: str | None) -> None:
        """Notes that the workflow is to end with this step."""

    def export(self, name: str, value: object) -> None:
        """Keeps ``value`` for later steps. Raises ``InvalidValue`` where it is not JSON."""

    def returned(self, value: object) -> object:
        """Takes a handler's return value and gives what is to be displayed of it."""


_context: dict[str, Any] = dict.fromkeys(_UNKNOWN) | {"test": True, "run": {"runs": 1, "context": None}}
_steps: dict[str, Any] = {}
_go_on: Callable[[object, bool], str] | None = None


def opened(steps: dict[str, Any], context: dict[str, Any], go_on: Callable[[object, bool], str]) -> None:
    """This kernel is that of an opened execution: cells run by hand see its record, and can let it ``go_on``."""
    global _context, _steps, _go_on
    _context, _steps, _go_on = context, steps, go_on


def go_on(data: object, replay: bool) -> str:
    """Lets the execution go on that this kernel has open; says what came of it. Raises ``FlowNBError``."""
    if _go_on is None:
        raise FlowNBError("this kernel has no execution open: `flownb open ID` opens one in a kernel of its own")
    return _go_on(data, replay)


class ByHand:
    """What all cells have in common that a person runs, none of an execution."""

    def respond(self, response: Response) -> None:
        """Nobody is there to be answered."""

    def ended(self, error: BaseException | None, stop: Callable[[Exception], None]) -> None:
        """The cell is over; ``error`` is what it raised. ``stop`` puts an error at its end, where Run All stops."""


class HandRun(ByHand):
    """A cell outside an execution: calls are checked, nothing pauses, nothing is kept."""

    def __init__(self) -> None:
        self.asked_pause = False
        self.inputs = None
        self.data: Keeper = BY_HAND
        self.most_bytes = MOST_BYTES
        self.context = Context(_context)
        self.steps = Steps({"trigger": {"event": {"body": None}, "context": self.context}, **_steps})

    def pause(self, call: dict[str, object]) -> Links:
        self.asked_pause = True
        return INERT

    def mail(self, mail: dict[str, object]) -> None:
        print(f"No mail is sent by hand: {mail['subject']!r}")  # noqa: T201

    def exit(self, reason: str | None) -> None:
        pass

    def export(self, name: str, value: object) -> None:
        to_json(value, name)

    def returned(self, value: object) -> object:
        return value if isinstance(value, Links | WaitLinks) else to_json(value, "return value")

    def ended(self, error: BaseException | None, stop: Callable[[Exception], None]) -> None:
        if self.asked_pause and error is None:
            stop(WorkflowCanceled(CANCELED))


Author = Callable[[str, str | None, bool], Cell]
"""Makes the cell for a source, with the id that the notebook has for it: a ``ByHand``. The last says whether a person
runs it; front ends also run code of their own, which is not to be remembered."""

_author: Author | None = None


def written_by(author: Author | None) -> None:
    """From now on ``author`` makes the cells that are run by hand; None stands for nobody."""
    global _author
    _author = author


def by_hand(source: str, cell_id: str | None, persons: bool) -> Cell:
    """The cell for what runs in a notebook, of a person or of their front end."""
    return HandRun() if _author is None else _author(source, cell_id, persons)


def is_open() -> bool:
    """Whether this kernel has an execution open."""
    return _go_on is not None


_running: Cell = HandRun()


def running() -> Cell:
    """The cell that is running, or ran last."""
    return _running


def begin(cell: Cell) -> None:
    """Makes ``cell`` the one that ``pd`` speaks for."""
    global _running
    _running = cell
