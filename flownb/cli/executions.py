"""Commands that look at executions: list, show."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from flownb.cli.console import errors, output, print_json
from flownb.cli.form_words import field_lines
from flownb.cli.narration import pause_lines, step_line, summary
from flownb.cli.options import AsJson, ExecutionId, ServerUrl, Token, connect
from flownb.cli.plan import disk_line, plan
from flownb.cli.style import COLOURS
from flownb.core.fields import fields
from flownb.core.words import run_counter


def ls(
    status: Annotated[str | None, typer.Option(help="Only those with this status.")] = None,
    workflow: Annotated[str | None, typer.Option(help="Only those of this workflow.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 50,
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """List executions, newest first."""
    found = connect(server_url, token).executions(status=status, workflow=workflow, limit=limit)
    if as_json:
        print_json(found)
        return
    table = Table("ID", "Workflow", "Status", "Step", "Created", box=None, pad_edge=False, header_style="dim")
    for execution in found["executions"]:
        table.add_row(*(Text(text) for text in _row(execution)), style=COLOURS.get(execution["status"], ""))
    output().print(table if found["executions"] else "No executions.")
    if found["next"]:
        errors().print("There are more: use --limit.", style="dim")


def _row(execution: dict[str, Any]) -> tuple[str, str, str, str, str]:
    waiting = execution["waiting"]
    current = next((step for step in execution["steps"] if step["status"] in ("running", "suspended", "failed")), None)
    step = f"{current['name']} {run_counter(waiting) if waiting else ''}".strip() if current else ""
    created = datetime.fromisoformat(execution["created_at"]).astimezone()
    return execution["id"], execution["workflow"], execution["status"], step, f"{created:%Y-%m-%d %H:%M:%S}"


def show(execution: ExecutionId, as_json: AsJson = False, server_url: ServerUrl = None, token: Token = None) -> None:
    """Show an execution: its steps, what it waits for, and how to go on."""
    found = connect(server_url, token).execution(execution)
    if as_json:
        print_json(found)
        return
    screen = output()
    for line in (summary(found), *(step_line(step) for step in found["steps"])):
        screen.print(line, soft_wrap=True)
    if found["waiting"]:
        for line in pause_lines(found, datetime.now().astimezone()):
            screen.print(line, soft_wrap=True)
        for about in field_lines(fields(found["waiting"]["form"])) if found["waiting"]["form"] is not None else ():
            screen.print(Text.assemble(("      form    ", "dim"), about), soft_wrap=True)
    screen.print(disk_line(found["disk"]))
    for warning in found["warnings"]:
        screen.print(Text(f"! {warning}", "yellow"), soft_wrap=True)
    if found["waiting"]:
        for part in plan(found["variables"]):
            screen.print(part)
