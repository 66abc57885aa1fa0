"""Commands about executions: list, show, decide."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from flownb.cli.console import errors, output, print_json
from flownb.cli.narration import pause_lines, step_line, summary
from flownb.cli.options import AsJson, Data, ExecutionId, ServerUrl, Token, connect, parsed
from flownb.cli.plan import disk_line, plan
from flownb.cli.status import USAGE
from flownb.cli.style import COLOURS
from flownb.client.words import run_counter


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
    screen.print(disk_line(found["disk"]))
    for warning in found["warnings"]:
        screen.print(Text(f"! {warning}", "yellow"), soft_wrap=True)
    if found["waiting"]:
        for part in plan(found["variables"]):
            screen.print(part)


def resume(
    execution: ExecutionId,
    data: Data = None,
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """Resume an execution that waits; DATA becomes the body of its $resume_data."""
    body = parsed(data)
    answer = connect(server_url, token).resume(execution, body)
    if as_json:
        print_json(answer)
    else:
        _decided(execution, answer)


def cancel(
    executions: Annotated[list[str], typer.Argument(metavar="ID...", help="The executions.")],
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """Cancel executions, whether they wait, run or are queued."""
    answers = connect(server_url, token).cancel_many(executions)
    if as_json:
        print_json({"executions": answers})
    else:
        for answer in answers:
            _decided(answer["id"], answer)
    if any(answer["code"] >= 400 for answer in answers):
        raise typer.Exit(USAGE)


def _decided(execution: str, answer: dict[str, Any]) -> None:
    output().print(f"{execution} {answer['status'].replace('_', ' ')}", markup=False)
