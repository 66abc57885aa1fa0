"""``flownb import``: workflows of the hosted original made into notebooks, or an execution from another machine."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from flownb.cli.carry import take_in
from flownb.cli.console import output, print_json
from flownb.cli.options import AsJson, ServerUrl, Token
from flownb.core.errors import InvalidValue

if TYPE_CHECKING:
    from flownb.importing import Imported


def import_(
    source: Annotated[Path, typer.Argument(metavar="PATH", help="A folder with a workflow.yaml, or an exported file.")],
    into: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the notebooks go.")] = Path(),
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """Make notebooks of workflows that the hosted original keeps in git; or take in an execution that was exported."""
    if source.is_file():
        take_in(source, as_json=as_json, server_url=server_url, token=token)
        return
    from flownb.importing import imported, read

    found = {folder: imported(read(folder)) for folder in _workflows(source)}
    targets = _targets(found, into)
    for folder, one in found.items():
        targets[folder].write_text(json.dumps(one.notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        answers: list[Any] = [
            {"source": str(folder), "notebook": str(targets[folder]), "notes": [asdict(note) for note in one.notes]}
            for folder, one in found.items()
        ]
        print_json({"workflows": answers})
    else:
        for folder, one in found.items():
            _show(targets[folder], one)


def _workflows(source: Path) -> list[Path]:
    """The folders of all workflows there; raises ``InvalidValue`` where there is none."""
    found = sorted(file.parent for file in source.rglob("workflow.yaml")) if source.is_dir() else []
    if not found:
        raise InvalidValue(f"{source} is no folder with a workflow.yaml in it, or in a folder below")
    return found


def _targets(found: dict[Path, Imported], into: Path) -> dict[Path, Path]:
    """The file for each; raises ``InvalidValue`` where one is there already, and writes over none."""
    targets = {folder: into / f"{one.name}.ipynb" for folder, one in found.items()}
    seen: dict[Path, Path] = {}
    for folder, target in targets.items():
        if target in seen:
            raise InvalidValue(f"{folder} and {seen[target]} have the same name: import them into different folders")
        if target.exists():
            raise InvalidValue(f"{target} is there already: move it away, or import --into another folder")
        seen[target] = folder
    into.mkdir(parents=True, exist_ok=True)
    return targets


def _show(target: Path, one: Imported) -> None:
    screen = output()
    steps = sum(cell["cell_type"] == "code" for cell in one.notebook["cells"])
    screen.print(Text.assemble((str(target), "bold"), f"  {steps} steps, {len(one.notes)} things to look at"))
    for note in one.notes:
        screen.print(Text.assemble(f"  {note.place}: {note.found}", (f"\n    {note.remedy}", "dim")), soft_wrap=True)
