"""The command line against a server of the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.server import TOKEN, Server

COMMAND = Path(sys.executable).with_name("flownb")


def flownb(server: Server, command: str, *arguments: str, status: int = 0) -> str:
    """What a command prints, with this exit status."""
    address = f"--server-url=http://127.0.0.1:{server.port}"
    done = subprocess.run(
        [COMMAND, command, *arguments, address],
        cwd=server.root,
        env={**os.environ, "JUPYTER_TOKEN": TOKEN},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done.stdout
