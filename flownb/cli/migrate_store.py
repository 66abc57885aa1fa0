"""``flownb migrate-store``: the whole record from SQLite to Postgres, or back."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from flownb.cli.console import output
from flownb.core.errors import InvalidValue
from flownb.store.engine import Engine
from flownb.store.engines import engine
from flownb.store.folder import DataFolder
from flownb.store.keys import read_or_make
from flownb.store.lease import Lease

SCHEMES = ("postgresql://", "postgres://")


def migrate_store(
    source: Annotated[str, typer.Option("--from", metavar="PLACE", help="A data folder, or the URL of a database.")],
    target: Annotated[str, typer.Option("--to", metavar="PLACE", help="The other one, in which nothing is yet.")],
) -> None:
    """Copy the whole record from a data folder to a Postgres database, or back, while no server is at work."""
    from flownb.store.transfer import CannotTransfer, transfer  # which reads notebooks: other commands do not

    folders = [Path(place) for place in (source, target) if not place.startswith(SCHEMES)]
    if len(folders) != 1:
        raise InvalidValue("one of --from and --to is a data folder, which has the key; the other one is the URL")
    folder = DataFolder(folders[0])
    if folders[0] == Path(source) and not folder.database.exists():
        raise InvalidValue(f"there is no database in {folder.root}")
    if not folder.key.exists():
        raise InvalidValue(f"there is no key in {folder.root}: name the folder that the server had")
    with ExitStack() as stack:
        lease = Lease(folder.lease, {}, lambda: None)
        stack.callback(lease.release)
        if not lease.take():
            raise CannotTransfer(f"a server is at work on {folder.root}: stop it first")
        copied = transfer(_at(source, folder), _at(target, folder), read_or_make(folder.key))
    output().print(f"{copied['executions']} executions, {sum(copied.values())} rows in all: each verifies as it did")


def _at(place: str, folder: DataFolder) -> Engine:
    return engine(place if place.startswith(SCHEMES) else "", folder.database)
