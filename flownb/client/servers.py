"""Which server to talk to: found as Jupyter's own tools find it, by the files that running servers leave."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jupyter_core.paths import jupyter_runtime_dir

from flownb.client.errors import ApiError, NoServer
from flownb.client.http import LOOPBACK, Client
from flownb.core.errors import InvalidValue

ANSWER = 5.0
"""Seconds within which a server that was found says that it runs flownb."""


def find(url: str | None = None, token: str | None = None, near: Path | None = None) -> Client:
    """A client of the server at ``url``; without one, of the running server that holds the file or folder ``near``.

    ``near`` is the working directory unless given; in a kernel, its own server then comes first, whatever that serves.
    What a JupyterHub has started uses the token that the Hub gave it, where ``url`` is an address of that Hub.
    Raises ``NoServer`` where there is none, or none that runs flownb, and ``InvalidValue`` for a ``url`` that is none.
    """
    if url is not None:
        _check(url)
        here = next((info for info in running() if _is_at(info, url)), None)
        if here is None:
            return Client(url, token or _hub_token(url))
        return Client(url, token or here["token"], Path(here["root_dir"]), own=_is_own(here))
    place = (near or Path.cwd()).resolve()
    refusals = []
    for info in _nearest(place, own_first=near is None):
        client = Client(info["url"], token or info["token"], Path(info["root_dir"]), own=_is_own(info))
        if (refusal := _refusal(client)) is None:
            return client
        client.close()
        refusals.append(refusal)
    why = "".join(f"\n{refusal}" for refusal in refusals)
    raise NoServer(f"no Jupyter server with flownb is running for {place}: start one with `flownb serve`{why}")


def running() -> Iterator[dict[str, Any]]:
    """What the servers on this machine say of themselves: ``pid``, ``url``, ``token``, ``root_dir``, ...

    The files that ``jupyter_server.serverapp.list_running_servers`` reads; importing that would take a second.
    """
    for path in sorted(Path(jupyter_runtime_dir()).glob("jpserver-*.json")):
        try:
            info = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            continue  # it is just being written, or removed
        if not info.get("sock") and _is_alive(info["pid"]):
            yield info


def _check(url: str) -> None:
    """Raises ``InvalidValue`` for what cannot be the address of a server."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not parts.query
    except ValueError:
        fits = False
    if not fits:
        raise InvalidValue(f"{url!r} is not the address of a server, such as http://localhost:8888/ (no token in it)")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's, but there
    return True


def _is_own(info: dict[str, Any]) -> bool:
    """Whether this process is a kernel of that server."""
    return str(info["pid"]) == os.environ.get("JPY_PARENT_PID")


def _nearest(place: Path, *, own_first: bool) -> list[dict[str, Any]]:
    """This kernel's own server if it is asked for, then those whose root folder holds ``place``, the deepest first."""
    ranked = []
    for info in running():
        root = Path(info["root_dir"]).resolve()
        own = own_first and _is_own(info)
        if own or place.is_relative_to(root):
            ranked.append((own, len(root.parts), info))
    ranked.sort(key=lambda entry: entry[:2], reverse=True)
    return [info for _, _, info in ranked]


def _is_at(info: dict[str, Any], url: str) -> bool:
    asked, known = urlsplit(url), urlsplit(info["url"])
    same_host = asked.hostname == known.hostname or {asked.hostname, known.hostname} <= LOOPBACK
    return same_host and asked.port == known.port


def _hub_token(url: str) -> str:
    """The token for an address of the Hub that has started this process, or its server; empty for all others."""
    hub = os.environ.get("JUPYTERHUB_PUBLIC_HUB_URL")
    if not hub:
        return ""
    asked, known = urlsplit(url), urlsplit(hub)
    same = (asked.scheme, asked.hostname, asked.port) == (known.scheme, known.hostname, known.port)
    return os.environ.get("JUPYTERHUB_API_TOKEN", "") if same else ""


def _refusal(client: Client) -> str | None:
    """Why a server is of no use; None where it is."""
    try:
        client.health(ANSWER)
    except ApiError as error:
        if error.code == 503 and error.reason != "standby":
            return None  # it runs flownb, and what is wrong there is for the call itself to say
        return str(error)
    except NoServer as error:
        return str(error)
    return None
