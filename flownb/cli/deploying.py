"""Commands that change what is deployed: deploy, undeploy, roll back, migrate."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from flownb.cli.console import errors, output, print_json
from flownb.cli.diffs import diff_lines
from flownb.cli.options import AsJson, By, Comment, NotebookPath, ServerUrl, Token, WorkflowName, connect, login_name
from flownb.cli.status import USAGE
from flownb.client import ApiError
from flownb.core.words import recurrence


def deploy(
    notebook: NotebookPath,
    name: Annotated[str | None, typer.Option(help="What to deploy it as; its own name otherwise.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check it, and say what would change.")] = False,
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """Put a notebook to work under a name: its settings say when it starts, and this version is pinned."""
    found = connect(server_url, token, notebook).deploy(notebook, name, dry_run=dry_run, by=login_name())
    if as_json:
        print_json(found)
        return
    screen = output()
    if dry_run:
        screen.print(Text.assemble((found["name"], "bold"), f"  would be deployed from {found['notebook']}"))
    else:
        _show(screen, found)
    for warning in found["warnings"]:
        screen.print(Text(f"! {warning}", "yellow"), soft_wrap=True)
    if found["before"] is not None:
        _changes(screen, found["diff"]["text"], f"changed since version {found['before']}:")


def _show(screen: Console, workflow: dict[str, Any]) -> None:
    screen.print(
        Text.assemble((workflow["name"], "bold"), f"  version {workflow['number']} from {workflow['notebook']}")
    )
    if workflow["hook_url"]:
        screen.print(Text.assemble(("hook      ", "dim"), workflow["hook_url"]), soft_wrap=True)
    for schedule in workflow["schedule"]:
        screen.print(Text.assemble(("schedule  ", "dim"), recurrence(schedule)), soft_wrap=True)


def _changes(screen: Console, text: str, heading: str) -> None:
    if not text:
        screen.print("nothing has changed", style="dim")
        return
    screen.print(heading, style="dim")
    for line in diff_lines(text):
        screen.print(line, soft_wrap=True)


def undeploy(name: WorkflowName, as_json: AsJson = False, server_url: ServerUrl = None, token: Token = None) -> None:
    """Let a workflow start nothing any more; what runs or waits goes on, and its versions are kept."""
    connect(server_url, token).undeploy(name)
    if as_json:
        print_json({"name": name, "active": False})
    else:
        output().print(f"{name} starts nothing any more", markup=False)


def rollback(
    name: WorkflowName,
    number: Annotated[
        int | None, typer.Argument(metavar="NUMBER", help="The version; the one before otherwise.")
    ] = None,
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """Make an earlier version of a workflow current again, under a new number."""
    found = connect(server_url, token).roll_back(name, number, login_name())
    if as_json:
        print_json(found)
        return
    screen = output()
    _show(screen, found)
    if found["restores"]:
        screen.print(Text.assemble(("restores  ", "dim"), f"version {found['restores']}"))
    _changes(screen, found["diff"]["text"], "changed with that:")


def migrate(
    executions: Annotated[list[str], typer.Argument(metavar="ID...", help="The executions; each is to be paused.")],
    version: Annotated[int | None, typer.Option(metavar="NUMBER", help="To this version; else the latest.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    comment: Comment = None,
    by: By = None,
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """Move paused executions to another version; what they have run is to be the same in it."""
    client = connect(server_url, token)
    answers: list[dict[str, Any]] = []
    for execution in executions:
        try:
            signed = {"by": by or login_name(), "comment": comment}
            answers.append({"id": execution, **client.migrate(execution, version, dry_run=dry_run, **signed)})
        except ApiError as error:
            answers.append({"id": execution, "reason": error.reason, "message": str(error)})
        if not as_json:
            _tell(answers[-1])
    if as_json:
        print_json({"executions": answers})
    if any("message" in answer for answer in answers):
        raise typer.Exit(USAGE)


def _tell(answer: dict[str, Any]) -> None:
    """What came of moving one execution."""
    if "message" in answer:
        errors().print(Text.assemble((answer["id"], "bold"), f"  {answer['message']}"), style="red", soft_wrap=True)
        return
    screen, text = output(), answer["diff"]["text"]
    moved = "is there already" if not text else "would move" if answer["dry_run"] else "moved"
    screen.print(Text.assemble((answer["id"], "bold"), f"  {moved}"))
    for warning in answer["warnings"]:
        screen.print(Text(f"! {warning}", "yellow"), soft_wrap=True)
    for line in diff_lines(text):
        screen.print(line, soft_wrap=True)
