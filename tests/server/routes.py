"""Every address of the extension, taken from the application itself, and what each answers to whom.

``python -m tests.server.routes`` writes the table anew; what changes in it is to be looked at line by line.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from tornado.web import RequestHandler

from flownb.server.app import FlowNB
from tests.support import people, rights
from tests.support.server import PATIENCE, TOKEN, Server, free_port

TABLE = Path(__file__).with_name("routes.txt")

LOGGED_IN = {"Authorization": f"token {TOKEN}"}
FOREIGN = "https://evil.example.org"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}

ASKING = ("HEAD", "OPTIONS", "TRACE")


def served() -> list[tuple[str, type[RequestHandler]]]:
    """The routes, in their order."""
    app: Any = FlowNB()
    app._service, app._gate = SimpleNamespace(), None
    app.initialize_handlers()
    return [(route, handler) for route, handler, *_ in app.handlers]


def methods(handler: type[RequestHandler]) -> list[str]:
    """Those that a handler has made its own, and those that browsers and proxies ask by."""
    own = [name for name in ("GET", "POST", "PUT", "PATCH", "DELETE") if _has(handler, name)]
    return [*own, *ASKING]


def _has(handler: type[RequestHandler], method: str) -> bool:
    return getattr(handler, method.lower()) is not getattr(RequestHandler, method.lower())


def address(route: str) -> str:
    """An address that the route is for, of what is not there."""
    chosen = re.sub(r"\((\w+)\|[^)]*\)", r"\1", route).replace(r"([\w./-]{1,100})", "x")
    return chosen.replace("([^/]+)", "x").replace("(.*)", "x").replace("/?", "/").replace("\\", "")


class Walk:
    """All probes of a server with both listeners."""

    def __init__(self, server: Server, callback_port: int) -> None:
        self._server = server
        self._callbacks = f"http://127.0.0.1:{callback_port}"
        self._plain = httpx.Client(base_url=server.url, timeout=PATIENCE)
        self._cookie = httpx.Client(base_url=server.url, timeout=PATIENCE)
        self._cookie.get("flownb/", params={"token": TOKEN})
        self.pages: dict[str, httpx.Headers] = {}
        """The headers of all that is markup, by method, address, probe and status."""

    def lines(self) -> Iterator[str]:
        """The table."""
        for route, handler in served():
            yield route
            for method in methods(handler):
                yield f"  {method:<7} {self._answers(method, address(route))}"
            yield f"  socket  {self._ask('socket', self._plain, 'GET', address(route), UPGRADE)}"

    def _answers(self, method: str, path: str) -> str:
        """By who asks: no login; a wrong token; who may nothing; who may only read; by another Host; with the cookie of
        a login, by a page of another Origin, or without the XSRF token; and on the other listener."""
        probes: Mapping[str, tuple[httpx.Client, dict[str, str]]] = {
            "nobody": (self._plain, {}),
            "wrong": (self._plain, {"Authorization": "token wrong"}),
            "stranger": (self._plain, {**LOGGED_IN, "X-User": rights.STRANGER}),
            "reader": (self._plain, {**LOGGED_IN, "X-User": rights.READER}),
            "host": (self._plain, {**LOGGED_IN, "Host": "evil.example.org"}),
            "origin": (self._cookie, {"Origin": FOREIGN, "X-XSRFToken": self._cookie.cookies["_xsrf"]}),
            "no_xsrf": (self._cookie, {}),
        }
        if method in ASKING:
            probes = {name: probes[name] for name in ("nobody", "stranger")}
        told = [f"{name} {self._ask(name, client, method, path, said)}" for name, (client, said) in probes.items()]
        return "  ".join([*told, f"callback {self._ask('callback', self._plain, method, self._callbacks + path, {})}"])

    def _ask(self, probe: str, client: httpx.Client, method: str, path: str, headers: dict[str, str]) -> int:
        self._plain.cookies.clear()  # whoever has shown a token is given the cookie of a login
        accept = {"Accept": "text/html", "X-User": "ann"}
        with client.stream(method, path, headers={**accept, **headers}) as answer:
            if answer.headers.get("Content-Type", "").startswith("text/html"):
                self.pages[f"{method} {path} {probe} {answer.status_code}"] = answer.headers
            return answer.status_code


def walk(folder: Path) -> tuple[list[str], dict[str, httpx.Headers]]:
    """The table of a server on a folder, and its pages."""
    port = free_port()
    server = Server(folder, f"--FlowNB.callback_port={port}", people.SETTING, rights.SETTING).start()
    try:
        walked = Walk(server, port)
        return list(walked.lines()), walked.pages
    finally:
        server.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        (root := Path(name) / "root").mkdir()
        TABLE.write_text("\n".join(walk(root)[0]) + "\n")
