"""A small job service over HTTP, for notebooks that wait for an external job: see ``python -m flownb.demo --help``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress

from flownb.core.errors import FlowNBError

NAME = "flownb.demo"
"""What the service answers at its root, so that it is not mistaken for another on the same port."""

HOST = "127.0.0.1"
PORT = 8917
PATIENCE = 15.0
"""Seconds within which the service answers after its start."""

_started: list[subprocess.Popen[bytes]] = []
"""Kept, since Python warns of a process that it forgets while that runs; this one is to outlive us."""


def ensure_running() -> str:
    """The base URL of the job service, which is started where nothing answers at its port.

    ``FLOWNB_DEMO_URL`` names another one. The service that is started here runs on after this process and ends by
    itself when it is not used for a while. Raises ``FlowNBError`` where the port belongs to something else.
    """
    if chosen := os.environ.get("FLOWNB_DEMO_URL"):
        return chosen.rstrip("/")
    url = f"http://{HOST}:{PORT}"
    if not _answers(url):
        _start()
        until = time.monotonic() + PATIENCE
        while not _answers(url):
            if time.monotonic() > until:
                raise FlowNBError(f"the job service does not come up at {url}: try `python -m flownb.demo` by hand")
            time.sleep(0.05)
    return url


def _start() -> None:
    command = [sys.executable, "-m", "flownb.demo", "--port", str(PORT)]
    nothing = subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True, cwd="/")  # noqa: S603 - our own module
    _started.append(process)


def _answers(url: str) -> bool:
    """Whether the job service is there; raises where something else is."""
    directly = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with directly.open(f"{url}/", timeout=5) as response, suppress(ValueError, AttributeError):
            if json.load(response).get("service") == NAME:
                return True
    except urllib.error.HTTPError as error:
        error.close()
    except OSError:
        return False
    raise FlowNBError(f"something else answers at {url}: start `python -m flownb.demo --port N`, set FLOWNB_DEMO_URL")
