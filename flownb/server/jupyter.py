"""The Jupyter server around us: kernels that its own pages know."""

from __future__ import annotations

from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.gateway.managers import GatewayMappingKernelManager
from jupyter_server.serverapp import ServerApp

from flownb.bridge.port import KernelStartFailed


class JupyterKernels:
    """Kernels of Jupyter's own, each in the session of a notebook, so that whoever opens that finds it running."""

    def __init__(self, serverapp: ServerApp) -> None:
        self._kernels: Any = serverapp.kernel_manager
        self._sessions: Any = serverapp.session_manager

    async def start(self, path: str, kernelspec: str) -> tuple[str, Any]:
        """A kernel for the notebook at ``path``, relative to the server's root, and its ``KernelManager``.

        Raises ``KernelStartFailed``.
        """
        if isinstance(self._kernels, GatewayMappingKernelManager):
            raise KernelStartFailed("Jupyter's own kernels are behind a gateway: an execution is opened on local ones")
        name = PurePosixPath(path).name
        try:
            session = await self._sessions.create_session(path=path, name=name, type="notebook", kernel_name=kernelspec)
        except Exception as error:  # of any kind: a provisioner may raise what it likes
            raise KernelStartFailed(f"Jupyter starts no kernel of {kernelspec!r}: {error}") from None
        kernel_id = str(session["kernel"]["id"])
        return kernel_id, self._kernels.get_kernel(kernel_id)

    async def stop(self, kernel_id: str) -> None:
        """End a kernel and its session; one that is gone already is no error."""
        with suppress(Exception):
            session = await ensure_async(self._sessions.get_session(kernel_id=kernel_id))
            await self._sessions.delete_session(session["id"])
