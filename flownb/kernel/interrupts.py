"""An interrupt ends a cell at once, also one that awaits.

ipykernel runs cells that await, all handlers among them, as a task, which an interrupt only cancels: too late for code
that does not await, and unnoticed by an event loop that sleeps.
"""

from __future__ import annotations

import asyncio
import signal
from types import FrameType


def reach_this_cell() -> None:
    """Called in the main thread as a cell begins, within its task if it has one.

    ipykernel puts its own signal handler back at the end of the cell.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        return  # a cell that does not await: KeyboardInterrupt works
    try:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
    except RuntimeError:  # no event loop: IPython without a kernel
        return
    if task is None:
        return

    def interrupt(signum: int, frame: FrameType | None) -> None:
        if asyncio.current_task() is task:
            raise KeyboardInterrupt
        loop.call_soon_threadsafe(task.cancel)

    signal.signal(signal.SIGINT, interrupt)
