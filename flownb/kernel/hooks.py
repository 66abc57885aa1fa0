"""What flownb hangs into IPython: the beginning and end of a cell, handlers, parameters."""

from __future__ import annotations

import builtins
import json
import threading
from typing import Any

from flownb.core.errors import FlowNBError
from flownb.core.jsonvalue import dumps
from flownb.kernel.cells import HandRun, begin, running
from flownb.kernel.handler import add_call, call
from flownb.kernel.interrupts import reach_this_cell
from flownb.kernel.ipython import shell
from flownb.kernel.origins import note, note_imports, note_setup
from flownb.kernel.parameters import Parameters
from flownb.kernel.step import SetupCell, Step

# Word for word the message of the original documentation.
CANCELED = "Workflow execution canceled — this may be due to pd.flow.suspend() usage (not supported in test)"


class WorkflowCanceled(FlowNBError):
    """Stands at the end of a cell run by hand that asked for a pause, so that Run All stops there."""


_message_id: str | None = None
_nested = 0


def install(into: Any) -> None:
    """Hangs flownb into ``into``; once only, however often it is called."""
    into.events.register("pre_run_cell", _before)
    into.events.register("post_run_cell", _after)
    vars(builtins)["__flownb_call__"] = call  # a short line in tracebacks, and no name of the author's
    if add_call not in into.input_transformers_post:
        into.input_transformers_post.append(add_call)
    if not any(isinstance(each, Parameters) for each in into.ast_transformers):
        into.ast_transformers.append(Parameters())


def _before(info: object) -> None:
    """Cells that a cell runs (``get_ipython().run_cell``) come with the same message, and belong to it."""
    global _message_id, _nested
    if _in_subshell():
        return
    kernel = getattr(shell(), "kernel", None)
    message = kernel.get_parent("shell") if kernel else {}
    message_id = message.get("header", {}).get("msg_id")
    if message_id is not None and message_id == _message_id:
        _nested += 1
        return
    _message_id, _nested = message_id, 0
    reach_this_cell()
    _begin(kernel, message)


def _begin(kernel: Any, message: dict[str, Any]) -> None:
    begin(HandRun())
    text = message.get("metadata", {}).get("flownb")
    if text is None:
        return
    told = json.loads(text)
    kind = SetupCell if told["mode"] == "setup" else Step

    def announce(call: dict[str, object]) -> None:
        # Lets the server answer for the links while the step still runs; lost, it learns of them at the end.
        content = {"call": dumps(call)}
        kernel.session.send(kernel.iopub_socket, "flownb_pause_asked", content, parent=message, ident=b"flownb")

    begin(kind(told, announce))


def _after(result: Any) -> None:
    """``result`` is None where IPython was interrupted before it had one."""
    global _nested
    if _in_subshell():
        return
    if _nested:
        _nested -= 1
        return
    cell = running()
    succeeded = result is not None and result.success
    if isinstance(cell, Step):
        if succeeded:
            cell.shown(result.result)
        cell.over = True
        if result is not None:
            note_imports(result.info.raw_cell)
        if isinstance(cell, SetupCell):
            note_setup(shell(), cell.name)
        else:
            note(shell().user_ns, cell.name)
    elif isinstance(cell, HandRun) and cell.asked_pause and succeeded:
        _stop(result)


def _in_subshell() -> bool:
    """Front ends run code beside the cell, in threads; that leaves the running step alone."""
    return threading.current_thread() is not threading.main_thread()


def _stop(result: Any) -> None:
    error = WorkflowCanceled(CANCELED)
    result.error_in_exec = error
    shell()._showtraceback(type(error), error, [])
