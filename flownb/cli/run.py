"""``flownb run``: start a notebook, follow it to its end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from flownb.cli.console import errors, output, print_json
from flownb.cli.interrupts import like_ctrl_c
from flownb.cli.options import AsJson, Data, NotebookPath, ServerUrl, Token, connect, parsed
from flownb.cli.own_server import own_server
from flownb.cli.progress import Progress
from flownb.cli.status import INTERRUPTED, UNSUCCESSFUL
from flownb.client import Client, NoServer
from flownb.core.errors import InvalidValue

LOG = Path(".flownb", "server.log")


def run(
    notebook: NotebookPath,
    data: Data = None,
    wait: Annotated[bool, typer.Option("--wait", help="Follow it to its end; done anyway without a server.")] = False,
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """Run a notebook as a workflow, on the server whose root folder holds it; without one, brings one up."""
    body = parsed(data)
    if server_url is None and not notebook.is_file():
        raise InvalidValue(f"there is no file {notebook}")
    like_ctrl_c()
    screen = errors() if as_json else output()
    with Progress(screen) as progress:
        try:
            client = connect(server_url, token, notebook)
        except NoServer:
            if server_url is not None:
                raise
            found = _with_own_server(notebook, body, progress, screen)
        else:
            found = client.start(notebook, body)
            if wait:
                found = _follow(client, found, progress, screen, "goes on; `flownb show` says how far it is")
            elif not as_json:
                _started(found, screen)
                return
    if as_json:
        print_json(found)
    if found["status"] in ("failed", "cancelled"):
        raise typer.Exit(UNSUCCESSFUL)


def _started(found: dict[str, Any], screen: Console) -> None:
    screen.print(Text.assemble("started ", (found["id"], "bold"), f"  flownb show {found['id']}"))


def _with_own_server(notebook: Path, body: Any, progress: Progress, screen: Console) -> dict[str, Any]:
    progress.say("bringing up a Jupyter server")
    root = _root(notebook)
    later = f"as soon as `flownb serve` (or any Jupyter server) runs in {root}"
    with own_server(root, root / LOG) as server:
        found = server.client.start(notebook, body)
        return _follow(server.client, found, progress, screen, f"sleeps; it goes on, and its links work, {later}")


def _follow(
    client: Client, execution: dict[str, Any], progress: Progress, screen: Console, interrupted: str
) -> dict[str, Any]:
    """The execution at its end; ``interrupted`` says what becomes of it after Ctrl-C."""
    found = execution
    try:
        for found in client.follow(execution["id"]):
            progress.show(found)
    except KeyboardInterrupt:
        screen.print(f"execution {execution['id']} {interrupted}", markup=False, soft_wrap=True)
        raise typer.Exit(INTERRUPTED) from None
    return found


def _root(notebook: Path) -> Path:
    """The folder to serve: this one, if it holds the notebook."""
    here, path = Path.cwd().resolve(), notebook.resolve()
    return here if path.is_relative_to(here) else path.parent
