"""``flownb serve``: a Jupyter server in a folder, in the foreground."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from flownb.cli.console import output
from flownb.cli.interrupts import like_ctrl_c
from flownb.cli.own_server import own_server
from flownb.client import NoServer


def serve(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Its root folder.")] = Path(),
) -> None:
    """Run a Jupyter server with flownb in a folder: what waits there can go on as long as it runs."""
    root = folder.resolve()
    like_ctrl_c()
    with suppress(KeyboardInterrupt), own_server(root, None, "--Application.log_level=WARN") as server:
        screen = output()
        screen.print(f"flownb serves {root} at {server.client.url}", markup=False, soft_wrap=True)
        waiting = server.client.health()["executions"]["suspended"]
        screen.print(f"{waiting} waiting: `flownb ls` lists them, their links work while this runs. Ctrl-C ends it.")
        server.process.wait()
        raise NoServer(f"the server has ended by itself, with status {server.process.returncode}")
