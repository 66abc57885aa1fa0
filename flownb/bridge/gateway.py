"""A server that runs kernels for us, by the Kernel Gateway protocol: Jupyter Server, Kernel and Enterprise Gateway."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tornado.httpclient import HTTPError, HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.websocket import WebSocketClientConnection, WebSocketError, websocket_connect

from flownb.bridge.port import GatewayLost, KernelStartFailed

START_SECONDS = 120.0
"""A gateway may have to find a machine first."""

ANSWER_SECONDS = 10.0
"""For everything else."""

CONNECT_SECONDS = 5.0

PING_SECONDS = 10.0
"""Between two pings on a websocket: a gateway that is cut off closes nothing."""

MOST_BYTES = 1024**3
"""Of one message from a kernel."""

END_WAITS = (0.2, 0.5, 1.0, 2.0)
"""Seconds after each try to end a kernel."""

AT_ONCE = 100
"""Requests to one gateway."""

NOBODY_BEHIND = frozenset({502, 503, 504, 599})
"""What a proxy answers for a gateway that does not."""


@dataclass(frozen=True)
class Access:
    """Where a gateway is, and how it lets us in; ``url`` has no slash at its end. Tokens are in ``headers``."""

    name: str
    url: str
    websocket_url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_certs: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    validate_cert: bool = True
    kernels_path: str = "/api/kernels"
    labels: frozenset[str] = frozenset()
    weight: float = 1.0
    slots: int | None = None

    def named(self, label: str | None) -> bool:
        """Whether it will do for a workflow that asks for ``label``; a weight of 0 is for those who ask alone."""
        return self.weight > 0 if label is None else label == self.name or label in self.labels


class Gateway:
    """Asks one gateway. What it raises names the gateway, and never what lets us in."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._http = SimpleAsyncHTTPClient(force_instance=True, max_clients=AT_ONCE)

    async def start(self, kernelspec: str, environment: Mapping[str, str]) -> str:
        """A new kernel's id; raises ``GatewayLost``, or ``KernelStartFailed`` where the gateway refuses."""
        said = {"name": kernelspec, "env": dict(environment)}
        status, answer = await self._ask("POST", self.access.kernels_path, said, START_SECONDS)
        if status != 201:
            raise KernelStartFailed(
                f"gateway {self.access.name!r} starts no kernel {kernelspec!r}: {_why(status, answer)}"
            )
        return str(json.loads(answer)["id"])

    async def knows(self, kernel: str) -> bool:
        """Whether the gateway has that kernel; raises ``GatewayLost``."""
        status, answer = await self._ask("GET", self._path(kernel))
        if status not in (200, 404):
            raise GatewayLost(
                f"gateway {self.access.name!r} does not say what became of the kernel: {_why(status, answer)}"
            )
        return status == 200

    async def interrupt(self, kernel: str) -> None:
        """Raises ``GatewayLost``."""
        await self._ask("POST", f"{self._path(kernel)}/interrupt", {})

    async def end(self, kernel: str) -> None:
        """One that is gone is no error; raises ``GatewayLost``, also where the gateway cannot end it."""
        for wait in END_WAITS:
            status, answer = await self._ask("DELETE", self._path(kernel))
            if status in (204, 404):
                return
            await asyncio.sleep(wait)  # one that was just started anew can be ended a moment later
        raise GatewayLost(f"gateway {self.access.name!r} does not end a kernel: {_why(status, answer)}")

    async def is_up(self) -> bool:
        """Whether it answers at all; never raises."""
        with suppress(GatewayLost):
            status, _ = await self._ask("GET", "/api")
            return status < 500
        return False

    async def connect(self, kernel: str, session: str, seconds: float) -> WebSocketClientConnection:
        """The websocket to a kernel's channels; raises ``GatewayLost`` where there is none in ``seconds``."""
        access = self.access
        base = access.websocket_url or access.url.replace("http", "ws", 1)
        url = f"{base}{self._path(kernel)}/channels?session_id={session}"
        try:
            request = self._request("GET", url, None, seconds)
            connecting = websocket_connect(
                request, ping_interval=PING_SECONDS, ping_timeout=PING_SECONDS, max_message_size=MOST_BYTES
            )
            return await asyncio.wait_for(connecting, seconds)
        except (HTTPError, WebSocketError, OSError, TimeoutError, ssl.SSLError) as error:
            raise GatewayLost(f"gateway {access.name!r} gives no connection to the kernel: {_how(error)}") from None

    def _path(self, kernel: str) -> str:
        return f"{self.access.kernels_path}/{kernel}"

    async def _ask(
        self, method: str, path: str, said: Any = None, seconds: float = ANSWER_SECONDS
    ) -> tuple[int, bytes]:
        body = None if said is None else json.dumps(said)
        try:
            request = self._request(method, f"{self.access.url}{path}", body, seconds)
            response = await self._http.fetch(request, raise_error=False)
        except (OSError, HTTPError, ValueError) as error:
            raise GatewayLost(f"gateway {self.access.name!r} cannot be reached: {_how(error)}") from None
        if response.code in NOBODY_BEHIND:
            how = _how(response.error) if response.code == 599 and response.error else f"it answers {response.code}"
            raise GatewayLost(f"gateway {self.access.name!r} cannot be reached: {how}")
        return response.code, response.body or b""

    def _request(self, method: str, url: str, body: str | None, seconds: float) -> HTTPRequest:
        access = self.access
        return HTTPRequest(
            url,
            method,
            {"Content-Type": "application/json", **access.headers},
            body,
            auth_username=access.user,
            auth_password=access.password,
            connect_timeout=min(seconds, CONNECT_SECONDS),
            request_timeout=seconds,
            follow_redirects=False,
            validate_cert=access.validate_cert,
            ca_certs=access.ca_certs,
            client_cert=access.client_cert,
            client_key=access.client_key,
        )

    def close(self) -> None:
        self._http.close()


def _why(status: int, answer: bytes) -> str:
    """What a gateway says of a refusal, in a line."""
    with suppress(ValueError, AttributeError):
        said = json.loads(answer)
        answer = str(said.get("message") or said.get("reason") or "").encode()
    words = answer.decode(errors="replace").strip().splitlines()
    hint = ": does its token fit?" if status in (401, 403) else ""
    return f"{status} {words[-1][:300] if words else ''}".strip() + hint


def _how(error: BaseException) -> str:
    return str(error) or type(error).__name__
