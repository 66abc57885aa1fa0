"""``pd``, the one object through which a notebook's author speaks with flownb."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal, NoReturn

from flownb.core.durations import LONGEST, milliseconds
from flownb.core.errors import InvalidValue
from flownb.core.responses import response as response_of
from flownb.kernel.alternatives import child
from flownb.kernel.cells import go_on, running
from flownb.kernel.data_store import DataStore
from flownb.kernel.flow import Flow, begin_wait, flow
from flownb.kernel.inputs import UNDECLARED
from flownb.kernel.record import Context, Steps
from flownb.kernel.send import Send, send

_NAMES = ["context", "continue_", "data_store", "export", "flow", "inputs", "respond", "run", "send", "steps"]


class Pd:
    """Pauses (``pd.flow``), what earlier steps exported (``pd.steps``), this run (``pd.context``), ``pd.export``."""

    def __init__(self) -> None:
        self.__module__ = "flownb"  # pickled as flownb.pd, a name that stays

    @property
    def flow(self) -> Flow:
        """``suspend``, ``rerun``, ``delay`` and ``exit``; times in milliseconds or as ``timedelta``."""
        return flow

    @property
    def send(self) -> Send:
        """``email``: mail that leaves when the step has ended."""
        return send

    @property
    def steps(self) -> Steps:
        """Exports by step: ``pd.steps["a"]["name"]`` or ``pd.steps.a.name``; ``pd.steps.trigger.event.body``."""
        return running().steps

    @property
    def context(self) -> Context:
        """This run of the step: ``pd.context.run.runs``, ``.run.context``, ``.trace_id``, ``.test``, ..."""
        return running().context

    @property
    def inputs(self) -> dict[str, Any]:
        """What the notebook's settings declare: ``pd.inputs["x"]`` or ``pd.inputs.x``."""
        found = running().inputs
        return found if found is not None else UNDECLARED

    def data_store(self, name: str) -> DataStore:
        """A dict on disk, which all executions share that ask for the same ``name``; its values are JSON."""
        return DataStore(name)

    def export(self, name: str, value: object) -> None:
        """Keep ``value`` for later steps as ``pd.steps["this step"][name]``.

        It is copied at the call. Raises ``InvalidValue`` where it is not JSON, naming the place, or is too large.
        """
        running().export(_export_name(name), value)

    def respond(self, response: Mapping[str, object], immediate: bool = False) -> None:
        """Answer the caller of the HTTP trigger, where its settings have it wait: ``http: {respond: true}``.

        ``response`` is ``{"status": 200, "headers": {...}, "body": ...}``, all of them optional; a body is text, bytes,
        or a dict or list, which is sent as JSON. It is sent when the workflow pauses or ends, and with ``immediate`` at
        once. The first answer stands. Raises ``InvalidValue`` where it cannot be sent as it is.
        """
        running().respond(response_of(response, immediate))

    def run(
        self,
        workflow: str,
        data: object = None,
        *,
        timeout: float | timedelta = LONGEST,
        on_timeout: Literal["resume", "cancel", "error"] = "error",
        on_failure: Literal["raise", "continue"] = "raise",
    ) -> None:
        """Run a deployed workflow with ``data`` as a step of this one, which waits for its end without a kernel.

        It starts at the end of this step; the next one finds in ``pd.context.resume["body"]`` its ``status``,
        ``execution``, ``exports`` by step, ``return_value`` and ``error``. A failure fails this step (``ChildFailed``),
        unless ``on_failure`` is "continue".
        """
        begin_wait([child(workflow, data, on_failure, None)], milliseconds(timeout, "timeout"), on_timeout, None)

    def continue_(self, data: object = None, *, replay: bool = False) -> None:
        """In a kernel that ``flownb open`` made: let the execution go on from the variables as they are now.

        A pause is resumed, with ``data`` as the body of its ``$resume_data``; from elsewhere, and with ``replay``,
        a new execution goes on, and the one that was opened stays as it is. Prints what came of it. Raises
        ``FlowNBError`` where that cannot be, and says why.
        """
        print(go_on(data, replay))  # noqa: T201

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"pd has no {name!r}: there is {', '.join(_NAMES)}")

    def __dir__(self) -> list[str]:
        return _NAMES

    def __reduce__(self) -> str:
        return "pd"


def _export_name(name: object) -> str:
    if isinstance(name, str) and name and not name.startswith("$"):
        return name
    raise InvalidValue(f"export: expected a name that is not empty and has no $ in front, got {name!r}")


pd = Pd()
