"""``flownb backup`` and ``flownb restore``: a whole data folder as one file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal
from rich.text import Text

from flownb import faults
from flownb.cli.console import errors, output, print_json
from flownb.cli.options import AsJson, ServerUrl, Token, connect
from flownb.core.errors import InvalidValue

WARNING = "It holds the key and all variables: who has this file can decide every pause. Keep it as you keep the key."


def backup(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")],
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """Write the database, the key and all snapshots of a server that is at work into one file."""
    from flownb.store.restore import check  # the other commands do without the store

    if target.is_dir():
        raise InvalidValue(f"{target} is a folder: name the file to write")
    aside = target.with_name(f".{target.name}.new")
    aside.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            connect(server_url, token).backup(file)
            file.flush()
            os.fsync(file.fileno())
        manifest = check(aside)
        faults.point("backup.written")
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
    found = {name: manifest[name] for name in ("at", "flownb", "schema", "executions", "missing")}
    found |= {"file": str(target), "size": target.stat().st_size}
    if as_json:
        print_json(found)
    else:
        said = f"backed up {found['executions']} executions  {target}  {decimal(found['size'])}"
        output().print(Text(said), soft_wrap=True)
    if found["missing"]:
        errors().print(Text(f"{len(found['missing'])} files of snapshots were missing already", "yellow"))
    errors().print(Text(WARNING, "bold yellow"), soft_wrap=True)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `flownb backup` has written.")],
    data_dir: Annotated[Path, typer.Option(metavar="FOLDER", help="The data folder to make.")] = Path(".flownb"),
    as_json: AsJson = False,
) -> None:
    """Make a data folder out of a backup, for a server that is started on it afterwards."""
    from flownb.store.restore import restore as restored

    manifest = restored(file, data_dir.absolute())
    if as_json:
        print_json({"data_dir": str(data_dir), "at": manifest["at"], "executions": manifest["executions"]})
        return
    said = f"restored {manifest['executions']} executions as of {manifest['at']}  {data_dir}"
    output().print(Text(said), soft_wrap=True)
    errors().print("Start no server on it as long as the original is at work: both would go on with the same timers.")
