"""``flownb usage``: the bill."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from flownb.cli.console import errors, output, print_json
from flownb.cli.options import AsJson, ServerUrl, Token, connect
from flownb.core.words import span


class By(StrEnum):
    """What usage is added up by."""

    DAY = "day"
    WORKFLOW = "workflow"
    EXECUTION = "execution"
    STEP = "step"
    SEGMENT = "segment"


SHOWN = ("day", "workflow", "execution", "segment", "step", "executions", "segments", *("compute_ms", "suspended_ms"))
HEADINGS = {"compute_ms": "Compute", "suspended_ms": "Suspended"}
NUMBERS = ("executions", "segments", "segment", "compute_ms", "suspended_ms", "credits")


def usage(
    by: Annotated[By, typer.Option(help="What to add up by.")] = By.DAY,
    since: Annotated[str | None, typer.Option(metavar="DAY", help="The first day, in UTC, like 2026-11-23.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DAY", help="The last day.")] = None,
    workflow: Annotated[str | None, typer.Option(help="Only of this workflow.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many rows.")] = 50,
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """Say what was used: compute and suspended time, and credits."""
    client = connect(server_url, token)
    found = client.usage(by, since=since, until=until, workflow=workflow, limit=limit)
    if as_json:
        print_json(found)
        return
    output().print(_table(found["rows"], found["total"]) if found["rows"] else "Nothing was used.")
    if found["more"]:
        errors().print("There are more: use --limit. The total is that of all.", style="dim")


def _table(rows: list[dict[str, Any]], total: dict[str, Any]) -> Table:
    names = [name for name in (*SHOWN, "credits") if name in rows[0]]
    table = Table(box=None, pad_edge=False, header_style="dim", show_footer=True, footer_style="bold")
    for place, name in enumerate(names):
        footer = _cell(name, total[name]) if name in total else Text("" if place else "Total")
        heading = HEADINGS.get(name, name.capitalize())
        table.add_column(heading, footer, justify="right" if name in NUMBERS else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(name, row[name]) for name in names))
    return table


def _cell(name: str, value: Any) -> Text:
    if name.endswith("_ms"):
        return Text(span(timedelta(milliseconds=value)))
    return Text(f"{value:,}" if isinstance(value, int) else value)
