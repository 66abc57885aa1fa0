"""What the handlers behind Jupyter's login share, those of the REST API and those of the console."""

from __future__ import annotations

from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import JupyterHandler

from flownb.core.data import Changed, NoSuchKey
from flownb.core.deployment import NoSuchVersion, NoSuchWorkflow, QueueFull
from flownb.core.errors import FlowNBError, InvalidValue, NotebookError
from flownb.core.migrations import CannotMigrate
from flownb.core.model import Json
from flownb.core.payload import shape
from flownb.core.replays import CannotReplay
from flownb.core.times import iso
from flownb.core.transitions import NotNow
from flownb.server.body import TooLarge
from flownb.server.contents import ChangedMeanwhile
from flownb.server.context import Links
from flownb.server.continuing import PauseEnded
from flownb.server.gate import put_right
from flownb.server.notebooks import NoSuchNotebook
from flownb.server.openings import CannotOpen
from flownb.server.service import Active, Service, Unavailable
from flownb.store.arrival import AlreadyHere
from flownb.store.backup import CannotBackUp
from flownb.store.packing import CannotExport, CannotImport
from flownb.store.store import NotFound
from flownb.store.writer import StoreError

CODES: dict[type[FlowNBError], int] = {
    NotFound: 404,
    NoSuchKey: 404,
    NoSuchNotebook: 404,
    NoSuchWorkflow: 404,
    NoSuchVersion: 404,
    QueueFull: 429,
    NotebookError: 400,
    InvalidValue: 400,
    TooLarge: 413,
    NotNow: 409,
    Changed: 409,
    CannotReplay: 409,
    CannotMigrate: 409,
    ChangedMeanwhile: 409,
    CannotOpen: 409,
    PauseEnded: 409,
    Unavailable: 503,
    CannotBackUp: 409,
    CannotExport: 409,
    AlreadyHere: 409,
    CannotImport: 422,
    StoreError: 503,
}
LOGIN_HEADERS = ("authorization",)


def code_of(error: FlowNBError) -> int:
    """The status code that an error is answered with."""
    return next((code for kind, code in CODES.items() if isinstance(error, kind)), 500)


class LoggedInHandler(JupyterHandler):
    """Who is logged in has the rights that Jupyter's authoriser gives them to the resource ``flownb``."""

    auth_resource = "flownb"

    def initialize(self, service: Service, max_body_bytes: int) -> None:
        put_right(self.request, service.config.proxies)
        self._service = service
        self._max_body_bytes = max_body_bytes

    @property
    def active(self) -> Active:
        return self._service.active

    async def may(self, action: str) -> bool:
        """Whether the authoriser lets who is logged in do that to flownb."""
        return bool(
            await ensure_async(self.authorizer.is_authorized(self, self.current_user, action, self.auth_resource))
        )

    async def may_write(self) -> bool:
        return await self.may("write")

    async def links(self) -> Links | None:
        """What shows links, to those who may use them."""
        return self.active.links if await self.may_write() else None

    def whole_body(self) -> bytes:
        """Raises ``TooLarge``."""
        if len(self.request.body) > self._max_body_bytes:
            raise TooLarge(self._max_body_bytes)
        return self.request.body

    def login_name(self) -> str | None:
        """None where Jupyter knows no more than that somebody has the token or the password."""
        name = str(self.current_user.display_name or self.current_user.username)
        return None if name.startswith("Anonymous ") else name

    def account(self) -> str | None:
        """What tells the account that is logged in from every other one; None as for ``login_name``."""
        return str(self.current_user.username) if self.login_name() is not None else None

    def starter(self) -> dict[str, Json]:
        """Who starts an execution, for its trigger."""
        return {"by": self.login_name(), "login": self.account()}

    def request_shape(self, data: Json) -> Json:
        """This call as ``$resume_data`` has it, with ``data`` as its body."""
        return shape(
            method=self.request.method or "",
            path=self.request.path,
            url=self.request.full_url().partition("?")[0],
            query="",
            headers=self.request.headers.get_all(),
            client_ip=self.request.remote_ip or "",
            body=data,
            received_at=iso(self._service.clock.now()) or "",
            dropped=LOGIN_HEADERS,
        )

    def _log(self) -> None:
        """In the access log; that this server is not at work yet is expected, and what is wrong is told elsewhere."""
        if self.get_status() == 503:
            self.log.debug("503 %s %s", self.request.method, self.request.path)
        else:
            super()._log()

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, FlowNBError):
            super().log_exception(typ, value, tb)
