"""``flownb prune``: what retention would remove."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from flownb.cli.console import errors, output, print_json
from flownb.cli.options import AsJson, ServerUrl, Token, connect
from flownb.core.errors import InvalidValue


def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Needed: removing is for the server alone.")] = False,
    days: Annotated[float, typer.Option(min=0, help="As the setting keep_executions_days.")] = 0,
    executions: Annotated[int, typer.Option(min=0, help="As the setting keep_executions.")] = 0,
    size: Annotated[int, typer.Option("--bytes", min=0, help="As the setting keep_bytes.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 50,
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """Say which executions these settings would remove, or those of the server; nothing is removed."""
    if not dry_run:
        raise InvalidValue("say --dry-run: what is to be removed, the server removes by its settings")
    found = connect(server_url, token).retention(days=days, executions=executions, bytes=size, limit=limit)
    if as_json:
        print_json(found)
        return
    table = Table("ID", "Workflow", "Ended", "Size", "Rule", box=None, pad_edge=False, header_style="dim")
    for one in found["executions"]:
        row = (one["execution"], one["workflow"], one["finished_at"], decimal(one["size"]), one["why"])
        table.add_row(*(Text(text) for text in row))
    output().print(table if found["executions"] else "Nothing would go.")
    if found["more"]:
        errors().print("There are more: use --limit.", style="dim")
