"""The command that lists errors."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from flownb.cli.console import output, print_json
from flownb.cli.options import AsJson, ServerUrl, Token, connect


def errors(
    workflow: Annotated[str | None, typer.Option(help="Only those of this workflow.")] = None,
    since: Annotated[str | None, typer.Option(help="Only those since then: `24h`, `7d`, or a time.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 50,
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """List the errors of executions that have failed in the last week, equal ones in one line."""
    found = connect(server_url, token).errors(workflow=workflow, since=since, limit=limit)
    if as_json:
        print_json(found)
        return
    table = Table("Count", "Workflow", "Step", "Error", "First", "Last", "Latest", box=None, header_style="dim")
    for error in found["errors"]:
        table.add_row(*(Text(text) for text in _row(error)))
    output().print(table if found["errors"] else f"No errors since {_when(found['since'])}.")


def _row(error: dict[str, Any]) -> list[str]:
    said = f"{error['ename']}: {error['evalue']}" if error["evalue"] else error["ename"]
    first, last = _when(error["first_at"]), _when(error["last_at"])
    return [f"{error['count']:,}", error["workflow"], error["step"] or "", said, first, last, error["execution"]]


def _when(at: str) -> str:
    return f"{datetime.fromisoformat(at).astimezone():%Y-%m-%d %H:%M:%S}"
