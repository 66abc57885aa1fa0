"""Commands that look at what is deployed: workflows, their versions, and what changed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from flownb.cli.console import output, print_json
from flownb.cli.diffs import diff_lines
from flownb.cli.options import AsJson, ServerUrl, Token, WorkflowName, connect
from flownb.core.errors import InvalidValue
from flownb.core.words import recurrence


def workflows(
    every: Annotated[bool, typer.Option("--all", help="Also those that were undeployed.")] = False,
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """List deployed workflows."""
    found = connect(server_url, token).workflows(every=every)
    if as_json:
        print_json({"workflows": found})
        return
    table = _table("Workflow", "Version", "Notebook", "Deployed", "By", "Schedule")
    for one in found:
        schedule = ", ".join(map(recurrence, one["schedule"])) if one["active"] else "undeployed"
        cells = (one["name"], str(one["number"]), one["notebook"], _when(one["deployed_at"]), one["deployed_by"] or "")
        table.add_row(*map(Text, (*cells, schedule)), style="" if one["active"] else "dim")
    output().print(table if found else "Nothing is deployed: `flownb deploy NOTEBOOK` deploys a notebook.")


def _table(*headings: str) -> Table:
    return Table(*headings, box=None, pad_edge=False, header_style="dim")


def versions(name: WorkflowName, as_json: AsJson = False, server_url: ServerUrl = None, token: Token = None) -> None:
    """List all versions of a workflow, the latest first."""
    found = connect(server_url, token).versions(name)
    if as_json:
        print_json({"versions": found})
        return
    table = _table("Number", "Version", "Notebook", "Deployed", "By", "Executions", "")
    for one in found:
        about = "current" if one["current"] else ""
        about += f" restores {one['restores']}" if one["restores"] else ""
        cells = (str(one["number"]), one["version"][:8], one["notebook"], _when(one["at"]), one["by"] or "")
        table.add_row(
            *map(Text, (*cells, str(one["executions"] or ""), about.strip())), style="bold" if one["current"] else ""
        )
    output().print(table)


Number = Annotated[int | None, typer.Argument(min=0, help="The number of a version.")]


def diff(
    name: WorkflowName,
    a: Number = None,
    b: Number = None,
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """Show what changed from version A to B: the latest, from the one before it; 0 is an empty notebook."""
    client = connect(server_url, token)
    new = client.versions(name)[0]["number"] if b is None else b
    if new == 0:
        raise InvalidValue("B is the number of a version, from 1")
    found = client.diff(name, new - 1 if a is None else a, new)
    if as_json:
        print_json(found)
        return
    screen = output()
    for line in diff_lines(found["text"]):
        screen.print(line, soft_wrap=True)
    if not found["text"]:
        screen.print(f"versions {found['from']} and {found['to']} are the same", style="dim")


def _when(at: str) -> str:
    return f"{datetime.fromisoformat(at).astimezone():%Y-%m-%d %H:%M:%S}"
