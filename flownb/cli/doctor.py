"""``flownb doctor``: which executions an upgrade of Python or of a library would strand."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.filesize import decimal
from rich.text import Text

from flownb.cli.console import output, print_json
from flownb.cli.options import AsJson, ServerUrl, Token, connect
from flownb.cli.status import UNSUCCESSFUL

COLOURS = {"ok": "green", "stranded": "red"}
ADVICE = "Let the stranded ones end, or keep the old environment until they have."


def doctor(
    python: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Try this interpreter instead of the kernelspecs' own.")
    ] = None,
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """Say which executions that wait could not go on with another Python or other libraries; status 1 if any."""
    found = connect(server_url, token).doctor(_path(python) if python else None)
    if as_json:
        print_json(found)
    else:
        _show(found)
    if _stranded(found):
        raise typer.Exit(UNSUCCESSFUL)


def _path(python: Path) -> str:
    """Absolute, but through no link: that of a virtual environment is what makes it one."""
    return str(Path(shutil.which(python) or python).absolute())


def _stranded(found: dict[str, Any]) -> bool:
    return any(execution["status"] == "stranded" for execution in found["executions"])


def _show(found: dict[str, Any]) -> None:
    screen = output()
    for execution in found["executions"]:
        status = execution["status"]
        changed = [f"{name} {was} -> {now or 'missing'}" for name, (was, now) in execution["changed"].items()]
        place = f"{execution['id']}  {execution['workflow']}  {execution['step'] or ''}".rstrip()
        why = "; ".join([*([execution["reason"]] if execution["reason"] else []), *changed])
        line = Text.assemble((f"{status:8}", COLOURS[status]), f"  {place}", f": {why}" if why else "")
        screen.print(line, soft_wrap=True)
    if not found["executions"]:
        screen.print("No execution waits with a checkpoint.")
    if _stranded(found):
        screen.print(ADVICE)
    screen.print(f"Snapshots take {decimal(found['disk_bytes'])}.", style="dim")
