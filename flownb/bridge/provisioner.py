"""Forked kernels for ``jupyter_client``: any kernelspec of ipykernel's may name this provisioner.

``"metadata": {"kernel_provisioner": {"provisioner_name": "flownb-fork", "config": {"preload": ["numpy"]}}}``
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from traitlets import Instance, List, Unicode, default

from flownb.bridge.forkable import forkable
from flownb.bridge.forked import ForkedProcess
from flownb.bridge.forkserver import ForkServer
from flownb.bridge.forkservers import PRELOAD, ForkServers, shared

KILLED_SECONDS = 1.0
"""A killed process is gone at once, unless the system is busy with it."""


class ForkProvisioner(LocalProvisioner):
    """Has a fork server fork the kernel, if there is one that serves; else starts it as the local one does."""

    preload = List(
        Unicode(),
        default_value=[*PRELOAD],
        config=True,
        help="Modules that are imported once for all kernels, as far as they are installed. None may start a thread.",
    )
    servers = Instance(ForkServers)
    process: Any
    parent: Any

    @default("servers")
    def _shared(self) -> ForkServers:
        return shared()

    @property
    def forked(self) -> ForkedProcess | None:
        """The process, where it was forked."""
        return self.process if isinstance(self.process, ForkedProcess) else None

    async def warm_up(self) -> ForkServer | None:
        """Begin to start the fork server of such kernels, where there can be one and it has not begun."""
        options = await KernelProvisionerBase.pre_launch(self, cmd=self.parent.format_kernel_cmd())
        launch = forkable(options.pop("cmd"), options)
        return self.servers.warm_up(launch, self.preload) if launch else None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        launch = forkable(cmd, kwargs)
        self.process = await self.servers.fork(launch, self.preload) if launch else None
        if launch is None or self.process is None:
            return await super().launch_kernel(cmd, **kwargs)
        self.pid = self.pgid = self.process.pid
        self.cwd = launch.cwd
        return self.connection_info

    async def wait(self) -> int | None:
        process = self.forked
        if process is None:
            return await super().wait()
        status = await process.ended()
        process.release()
        self.process = None
        return status

    async def send_signal(self, signum: int) -> None:
        if self.forked is None:
            await super().send_signal(signum)
        else:
            self.forked.send_signal(signum)

    async def kill(self, restart: bool = False) -> None:
        """Returns when the process is gone, so that nobody has to ask again and again."""
        await super().kill(restart)
        if self.forked is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.forked.ended(), KILLED_SECONDS)


def provision(manager: KernelManager, servers: ForkServers, preload: Sequence[str]) -> ForkProvisioner | None:
    """Let a manager that has started nothing fork its kernel; None where the kernelspec names another provisioner."""
    spec = manager.kernel_spec
    if spec is None or "provisioner_name" in spec.metadata.get("kernel_provisioner", {}):
        return None
    manager.kernel_id = manager.kernel_id or str(uuid4())
    told = {"kernel_id": manager.kernel_id, "kernel_spec": spec, "parent": manager}
    manager.provisioner = provisioner = ForkProvisioner(**told, servers=servers, preload=[*preload])
    return provisioner
