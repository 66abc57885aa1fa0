"""``flownb export``, and ``flownb import`` of what it wrote: one execution, from machine to machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated
from zipfile import ZipFile

import typer
from rich.text import Text

from flownb.cli.console import output, print_json
from flownb.cli.options import AsJson, ExecutionId, ServerUrl, Token, connect
from flownb.core.errors import InvalidValue


def export(
    execution: ExecutionId,
    target: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write it; ID.flownb unless given.")
    ] = None,
    move: Annotated[bool, typer.Option("--move", help="End it here: it goes on where it is imported.")] = False,
    to: Annotated[str | None, typer.Option(metavar="URL", help="With --move: where it goes, for its links.")] = None,
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """Write an execution that is paused or over into one file."""
    if to is not None and not move:
        raise InvalidValue("--to says where an execution is moved: say --move too")
    file = target or Path(f"{execution}.flownb")
    client = connect(server_url, token)
    beside = file.with_name(f".{file.name}.new")
    try:
        with beside.open("wb") as opened:
            client.export(execution, opened)
        with ZipFile(beside) as packed:
            manifest = json.loads(packed.read("manifest.json"))
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
    if move:
        client.moved(execution, to, manifest["head"])
    if as_json:
        print_json({"execution": execution, "file": str(file), "size": file.stat().st_size, "moved": move})
    else:
        output().print(Text(f"{'moved' if move else 'exported'} {execution}  {file}"), soft_wrap=True)


def take_in(file: Path, *, as_json: bool, server_url: str | None, token: str | None) -> None:
    """Put the execution in a file down at the server."""
    with file.open("rb") as opened:
        found = connect(server_url, token).take_in(opened)
    if as_json:
        print_json(found)
    else:
        output().print(Text(f"imported {found['id']}  {found['status']}  flownb show {found['id']}"), soft_wrap=True)
