"""What an execution that waits has on disk: its size, and what comes back of each variable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

MOST = 20
"""Rows that are shown: first what needs care, then what is largest."""

PD = "flownb.kernel.pd.Pd"

COLOURS = {"lost": "red", "partly": "yellow", "remade": "cyan"}
MEANINGS = {
    "kept": "comes back",
    "remade": "made again by a setup cell",
    "partly": "comes back in part",
    "lost": "does not come back",
}
TO_DO = "; make it in a cell tagged `setup`"


def disk_line(disk: dict[str, int]) -> Text:
    """What the snapshots take."""
    shared = f", {decimal(disk['shared'])} of it shared with other executions" if disk["shared"] else ""
    return Text(f"  {decimal(disk['bytes'])} on disk{shared}" if disk["bytes"] else "  nothing on disk", "dim")


def plan(variables: Sequence[dict[str, Any]]) -> Iterator[Table | Text]:
    """A table of the author's variables."""
    own = [each for each in variables if each["type"] != PD]
    ranked = sorted(own, key=lambda each: (each["status"] not in ("lost", "partly"), -each["size"]))
    if not ranked:
        return
    table = Table("Variable", "Type", "Size", "After the pause", box=None, pad_edge=False, header_style="dim")
    table.columns[2].justify = "right"
    for variable in ranked[:MOST]:
        cells = (variable["name"], variable["type"], decimal(variable["size"]), _outcome(variable))
        table.add_row(*(Text(cell) for cell in cells), style=COLOURS.get(variable["status"], ""))
    yield table
    if len(ranked) > MOST:
        yield Text(f"and {len(ranked) - MOST} more", "dim")


def _outcome(variable: dict[str, Any]) -> str:
    said = MEANINGS[variable["status"]]
    return f"{said}: {variable['reason']}{TO_DO}" if variable["status"] in ("lost", "partly") else said
