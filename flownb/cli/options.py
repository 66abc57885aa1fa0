"""Options that commands share, and what they stand for."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from flownb.client import Client, find
from flownb.core.errors import InvalidValue

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
ServerUrl = Annotated[
    str | None, typer.Option("--server-url", help="Address of the Jupyter server; found by its root folder otherwise.")
]
Token = Annotated[
    str | None,
    typer.Option("--token", envvar="JUPYTER_TOKEN", help="The server's token; others do not see it in the variable."),
]
Data = Annotated[str | None, typer.Option("--data", metavar="JSON", help="Data to send along.")]
Comment = Annotated[str | None, typer.Option(metavar="TEXT", help="Words that go into the record.")]
By = Annotated[str | None, typer.Option(metavar="NAME", help="Who decides; the name of your login otherwise.")]
ExecutionId = Annotated[str, typer.Argument(metavar="ID", help="The execution.")]
WorkflowName = Annotated[str, typer.Argument(metavar="NAME", help="The name of a deployed workflow.")]
NotebookPath = Annotated[Path, typer.Argument(metavar="NOTEBOOK", help="The .ipynb file.")]


def connect(server_url: str | None, token: str | None, near: Path | None = None) -> Client:
    """The server that was named, or else the one whose root folder holds ``near``; raises ``NoServer``."""
    return find(server_url, token if server_url else None, near)


def login_name() -> str | None:
    """What this machine calls whoever types; None where it has no name for them."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return None


def parsed(data: str | None, what: str = "--data") -> Any:
    """The value of ``--data``, or of what is called ``what``; raises ``InvalidValue`` where that is not JSON."""
    if data is None:
        return None
    try:
        return json.loads(data, parse_constant=_no_json)
    except (ValueError, RecursionError) as error:
        written = f"{what} " if what.startswith("-") else ""
        hint = f"""as in {written}'{{"name": "value"}}', a text as in {written}'"text"'"""
        raise InvalidValue(f"{what} is not JSON ({error}): write it {hint}") from None


def _no_json(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")
