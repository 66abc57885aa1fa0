"""Asking which executions an upgrade would strand."""

from __future__ import annotations

from pathlib import Path

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core.errors import InvalidValue
from flownb.server.handler import FlowHandler


class DoctorHandler(FlowHandler):
    """Try all checkpoints that executions wait with; that changes nothing, and takes its time.

    What is at the path of an interpreter is run, so naming one takes the right to ``execute``.
    """

    @web.authenticated
    @authorized
    async def post(self) -> None:
        python = self.body("python").get("python")
        if python is not None and not (isinstance(python, str) and Path(python).is_absolute()):
            raise InvalidValue("`python` is the absolute path of an interpreter, or null for those of the kernelspecs")
        if python is not None and not await self.may("execute"):
            raise web.HTTPError(403)
        self.answer(200, await self.active.doctor.examine(python, self.kernel_spec_manager))
