"""Commands that hand a wish to the server and print its answer."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from flownb.cli.console import output, print_json
from flownb.cli.options import AsJson, ExecutionId, NotebookPath, ServerUrl, Token, connect


def replay(
    execution: ExecutionId,
    step: Annotated[str | None, typer.Option("--from", metavar="STEP", help="The first step to run again.")] = None,
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """Start a new execution that keeps the results of earlier steps."""
    _answer(connect(server_url, token).replay(execution, step), "id", as_json)


def open_(execution: ExecutionId, as_json: AsJson = False, server_url: ServerUrl = None, token: Token = None) -> None:
    """Open a live kernel with an execution's variables."""
    _answer(connect(server_url, token).open(execution), "path", as_json)


def deploy(notebook: NotebookPath, as_json: AsJson = False, server_url: ServerUrl = None, token: Token = None) -> None:
    """Put a notebook to work under its own name."""
    client = connect(server_url, token, notebook)
    _answer(client.deploy(notebook.stem, notebook), "version", as_json)


def _answer(found: dict[str, Any], main: str, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        output().print(found[main], markup=False)
