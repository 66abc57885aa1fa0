"""Whether a kernel that was left alone for a while still does its work."""

from __future__ import annotations

import asyncio

from flownb.bridge.port import Kernel, KernelError

SIGN_OF_LIFE_SECONDS = 5.0
"""A kernel that does not answer within this time is dead, or frozen: the work goes to another one."""


async def answers(kernel: Kernel, module: str = "reply", function: str = "Reply", *arguments: str) -> bool:
    """Whether a kernel answers: one that was killed a moment ago may not be known to be dead."""
    try:
        await asyncio.wait_for(kernel.ask(module, function, *arguments), SIGN_OF_LIFE_SECONDS)
    except (KernelError, TimeoutError):
        return False
    return True
