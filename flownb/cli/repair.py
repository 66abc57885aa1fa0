"""Commands to look into an execution, and to run it again from within."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from flownb.cli.console import output, print_json
from flownb.cli.options import AsJson, ExecutionId, ServerUrl, Token, connect


def open_(
    execution: ExecutionId,
    step: Annotated[str | None, typer.Option(metavar="STEP", help="As that step left the variables.")] = None,
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """Open a live notebook with an execution's variables; prints its address in JupyterLab."""
    client = connect(server_url, token)
    found = client.open(execution, step)
    url = f"{client.url}lab/tree/{quote(found['path'])}"
    if as_json:
        print_json({**found, "url": url})
    else:
        output().print(url, markup=False, soft_wrap=True)


def replay(
    execution: ExecutionId,
    step: Annotated[str | None, typer.Option("--from", metavar="STEP", help="The first step to run again.")] = None,
    latest: Annotated[bool, typer.Option("--latest", help="With the notebook as it is now.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Though earlier steps have changed since.")] = False,
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """Start a new execution that keeps the results of earlier steps; prints its id."""
    found = connect(server_url, token).replay(execution, step, latest=latest, force=force)
    if as_json:
        print_json(found)
    else:
        output().print(found["id"], markup=False)
