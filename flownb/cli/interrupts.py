"""Being told to end."""

from __future__ import annotations

import signal


def like_ctrl_c() -> None:
    """Have the other ways to end a command, save those that were ignored before, act as Ctrl-C does: in order."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
