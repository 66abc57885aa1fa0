"""What flownb hangs into IPython: the beginning and end of a cell, handlers, parameters."""

from __future__ import annotations

import builtins
import json
import threading
from functools import partial
from typing import Any

from flownb.core.jsonvalue import dumps
from flownb.kernel.cells import ByHand, HandRun, begin, by_hand, running
from flownb.kernel.handler import add_call, call
from flownb.kernel.interrupts import reach_this_cell
from flownb.kernel.ipython import shell
from flownb.kernel.origins import note, note_imports, note_setup
from flownb.kernel.parameters import Parameters
from flownb.kernel.step import SetupCell, Step

_message_id: str | None = None
_nested = 0
_ended = False


def install(into: Any) -> None:
    """Hangs flownb into ``into``; once only, however often it is called."""
    into.events.register("pre_run_cell", _before)
    into.events.register("post_run_cell", _after)
    vars(builtins)["__flownb_call__"] = call  # a short line in tracebacks, and no name of the author's
    if add_call not in into.input_transformers_post:
        into.input_transformers_post.append(add_call)
    if not any(isinstance(each, Parameters) for each in into.ast_transformers):
        into.ast_transformers.append(Parameters())


def _before(info: Any) -> None:
    """Cells that a cell runs (``get_ipython().run_cell``) come with the same message, and belong to it."""
    global _message_id, _nested, _ended
    if _in_subshell():
        return
    kernel = getattr(shell(), "kernel", None)
    message = kernel.get_parent("shell") if kernel else {}
    message_id = message.get("header", {}).get("msg_id")
    if message_id is not None and message_id == _message_id:
        _nested += 1
        return
    _message_id, _nested, _ended = message_id, 0, False
    reach_this_cell()
    _begin(kernel, message, info)


def _begin(kernel: Any, message: dict[str, Any], info: Any) -> None:
    begin(HandRun())
    text = message.get("metadata", {}).get("flownb")
    if text is None:
        begin(by_hand(info.raw_cell, getattr(info, "cell_id", None), info.store_history))
        return
    told = json.loads(text)
    kind = SetupCell if told["mode"] == "setup" else Step

    def announce(what: str, call: dict[str, object]) -> None:
        # Lets the server answer for the links and the caller while the step still runs, and have the mails of one whose
        # kernel dies, or the result where that happens while it saves; lost, it learns of all that at the end.
        content = {"call": dumps(call)}
        kernel.session.send(kernel.iopub_socket, f"flownb_{what}", content, parent=message, ident=b"flownb")

    begin(kind(told, announce))


def _after(result: Any) -> None:
    """``result`` is None where IPython was interrupted before it had one; what is blank ends without a beginning."""
    global _nested, _ended
    if _in_subshell():
        return
    if _nested:
        _nested -= 1
        return
    if _ended:
        return
    _ended = True
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
    if isinstance(cell, ByHand):
        cell.ended(None if succeeded else _error(result), partial(_stop, result))


def _in_subshell() -> bool:
    """Front ends run code beside the cell, in threads; that leaves the running step alone."""
    return threading.current_thread() is not threading.main_thread()


def _error(result: Any) -> BaseException:
    return KeyboardInterrupt() if result is None else result.error_before_exec or result.error_in_exec


def _stop(result: Any, error: Exception) -> None:
    result.error_in_exec = error
    shell()._showtraceback(type(error), error, [])
