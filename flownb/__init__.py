"""Durable workflows that are Jupyter notebooks.

Importing this package stays light: it runs inside kernels, where neither the server nor the store is needed.
``flownb.pd`` and ``flownb.flow`` are what a notebook's author uses; ``flownb.Inbox`` shows what waits,
``flownb.ExecutionView`` one execution, ``flownb.Dashboard`` all of them, and ``flownb.Continue`` has the buttons to go
on from an opened execution.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flownb.kernel.flow import flow as flow
    from flownb.kernel.pd import pd as pd
    from flownb.widgets import Continue as _Continue
    from flownb.widgets import Dashboard as Dashboard
    from flownb.widgets import ExecutionView as ExecutionView
    from flownb.widgets import Inbox as Inbox

__version__ = "0.1.0"


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from flownb.server.app import FlowNB

    return [{"module": "flownb.server.app", "app": FlowNB}]


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext flownb``: ``pd`` and ``%flownb`` are there, handler cells are called, no pause asked for comes.

    In an execution, where all of that is so anyway, it changes nothing.
    """
    from flownb.kernel.pd import pd

    _watch(shell)
    shell.user_ns.setdefault("pd", pd)


def Continue() -> _Continue:
    """The buttons to let the execution go on that is open in this kernel; raises ``ImportError`` without ipywidgets."""
    from flownb.kernel.cells import go_on

    try:
        from flownb.widgets import Continue as Buttons
    except ImportError as error:
        raise ImportError(f"there are no buttons here ({error}): use pd.continue_()") from None
    return Buttons(lambda replay: go_on(None, replay))


def _watch(shell: Any) -> None:
    from flownb.kernel.hooks import install

    install(shell)
    _offer(shell)


def _offer(shell: Any) -> None:
    """The magic ``%flownb`` and completion. What is behind them is imported when it is used, and never by a step."""
    if "flownb" in shell.magics_manager.magics["line"]:
        return
    from IPython.core.magic import no_var_expand

    @no_var_expand
    def magic(line: str) -> None:
        """Simulate, run or check the workflow in this notebook; ``%flownb help`` says how. In an execution, nothing."""
        from flownb.kernel.cells import ByHand, running

        if isinstance(running(), ByHand):
            from flownb.authoring.magic import magic as act

            act(line, shell)

    shell.register_magic_function(magic, "line", "flownb")
    try:
        from IPython.core.completer import context_matcher
    except ImportError:  # IPython before 8.6 completes as it did
        return

    @context_matcher(identifier="flownb")  # type: ignore[untyped-decorator]
    def complete(context: Any) -> Any:
        from flownb.authoring.completion import matches

        return matches(context, shell.user_ns)

    shell.Completer.custom_matchers.append(complete)


def __getattr__(name: str) -> Any:
    if name == "pd":
        from flownb.kernel.pd import pd

        return pd
    if name == "flow":
        from flownb.kernel.flow import flow

        return flow
    if name in ("Inbox", "ExecutionView", "Dashboard"):
        from flownb import widgets

        return getattr(widgets, name)
    raise AttributeError(f"module 'flownb' has no attribute {name!r}")


def _load_in_kernel() -> None:
    """``import flownb`` in a notebook does what ``%load_ext flownb`` does; in a server it does nothing."""
    find_shell = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = find_shell() if find_shell else None
    if hasattr(shell, "kernel"):
        _watch(shell)


_load_in_kernel()
