"""The cell that is running, as ``pd`` sees it: a step or setup cell of an execution, or one run by hand.

Kept in one module variable rather than a context variable, so that the threads of a step find their step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from flownb.core.errors import FlowNBError
from flownb.core.jsonvalue import to_json
from flownb.kernel.links import INERT, Links
from flownb.kernel.record import Context, Steps

_UNKNOWN = ("id", "trace_id", "workflow_id", "workflow_name", "deployment_id", "ts", "deadline", "replay", "resume")


class Cell(Protocol):
    """What ``pd`` asks of the running cell."""

    steps: Steps
    context: Context

    def pause(self, call: dict[str, object]) -> Links:
        """Notes that ``call`` asked for a pause at the end of this cell."""

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


class HandRun:
    """A cell outside an execution: calls are checked, nothing pauses, nothing is kept."""

    def __init__(self) -> None:
        self.asked_pause = False
        self.context = Context(_context)
        self.steps = Steps({"trigger": {"event": {"body": None}, "context": self.context}, **_steps})

    def pause(self, call: dict[str, object]) -> Links:
        self.asked_pause = True
        return INERT

    def exit(self, reason: str | None) -> None:
        pass

    def export(self, name: str, value: object) -> None:
        to_json(value, name)

    def returned(self, value: object) -> object:
        return value if isinstance(value, Links) else to_json(value, "return value")


_running: Cell = HandRun()


def running() -> Cell:
    """The cell that is running, or ran last."""
    return _running


def begin(cell: Cell) -> None:
    """Makes ``cell`` the one that ``pd`` speaks for."""
    global _running
    _running = cell
