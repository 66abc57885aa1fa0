"""To learn of the end of a process when it happens."""

from __future__ import annotations

import os
import signal

from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase

from flownb.bridge.forked import readable
from flownb.bridge.provisioner import ForkProvisioner


async def death(provisioner: KernelProvisionerBase) -> int | None:
    """Wait for the end of a kernel's process; returns its exit status, negative for a signal, None if unknown."""
    if isinstance(provisioner, ForkProvisioner) and provisioner.forked is not None:
        return await provisioner.forked.ended()
    pid = getattr(provisioner, "pid", None)
    if pid is not None and hasattr(os, "pidfd_open"):
        await _ended(pid)
    else:
        await provisioner.wait()
    return await provisioner.poll()


async def _ended(pid: int) -> None:
    """An event where the platform has one; jupyter_client itself asks every 100 ms."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        await readable(handle)
    finally:
        os.close(handle)


def describe(code: int | None) -> str:
    """An exit status in words."""
    if code is None:
        return "its process is gone"
    if code >= 0:
        return f"its process ended with exit status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = ", as the system does when memory runs out" if name == "SIGKILL" else ""
    return f"its process was ended by {name}{hint}"
