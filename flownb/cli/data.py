"""``flownb data`` and ``flownb secrets``: what workflows keep, and what they need to know."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from flownb.cli.console import errors, output, print_json
from flownb.cli.options import AsJson, ServerUrl, Token, connect, parsed
from flownb.cli.status import UNSUCCESSFUL
from flownb.client import Client
from flownb.core.errors import InvalidValue

WIDEST = 100
"""Characters of a value in a list."""


def data(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A data store.", show_default=False)] = None,
    key: Annotated[str | None, typer.Argument(metavar="KEY", help="A key in it.", show_default=False)] = None,
    value: Annotated[str | None, typer.Argument(metavar="VALUE", help="What to keep, as JSON.")] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Delete the key, or all keys of the store.")] = False,
    ttl: Annotated[float | None, typer.Option(metavar="SECONDS", help="Keep the value for so long.")] = None,
    prefix: Annotated[str, typer.Option(help="Only keys that begin like this.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many keys.")] = 50,
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """List data stores, the keys of one, or show a value; with VALUE, keep that."""
    if delete and (name is None or value is not None):
        raise InvalidValue("--delete goes with the NAME of a store, or with a NAME and a KEY")
    new = parsed(value, "VALUE") if value is not None else None
    client = connect(server_url, token)
    if name is None:
        _show_stores(client.stores(), as_json)
    elif delete:
        _delete(client, name, key)
    elif key is None:
        _show_store(client.store(name, prefix=prefix, limit=limit), as_json)
    elif value is None:
        found = client.value(name, key)
        print_json(found if as_json else found["value"])
    else:
        kept = client.keep(name, key, new, ttl)
        if as_json:
            print_json(kept)


def secrets(as_json: AsJson = False, server_url: ServerUrl = None, token: Token = None) -> None:
    """List the secrets that deployed workflows need, never their values; status 1 where one is missing."""
    found = connect(server_url, token).secrets()
    if as_json:
        print_json({"secrets": found})
    elif found:
        table = _table("Secret", "", "Workflows")
        for one in found:
            there = Text("there", "green") if one["there"] else Text("missing", "red")
            table.add_row(Text(one["name"]), there, Text(", ".join(one["workflows"])))
        output().print(table)
    else:
        output().print("No deployed workflow needs a secret.")
    if not all(one["there"] for one in found):
        raise typer.Exit(UNSUCCESSFUL)


def _delete(client: Client, name: str, key: str | None) -> None:
    if key is None and sys.stdin.isatty():
        typer.confirm(f"Delete all keys of {name}?", abort=True)
    client.forget(name, key)


def _show_stores(found: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json({"stores": found})
        return
    table = _table("Store", "Keys", "Size")
    for one in found:
        table.add_row(Text(one["name"]), f"{one['keys']:,}", decimal(one["bytes"]))
    output().print(table if found else "Nothing is kept.")


def _show_store(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    table = _table("Key", "Value", "Changed", "Until")
    for one in found["items"]:
        written = json.dumps(one["value"], ensure_ascii=False)
        short = written if len(written) <= WIDEST else f"{written[:WIDEST]}…"
        table.add_row(Text(one["key"]), Text(short), _when(one["changed_at"]), _when(one["expires_at"]))
    output().print(table if found["items"] else "Nothing is kept there.")
    if found["next"] is not None:
        errors().print("There are more: use --limit or --prefix.", style="dim")


def _table(*headings: str) -> Table:
    return Table(*headings, box=None, pad_edge=False, header_style="dim")


def _when(at: str | None) -> str:
    return f"{datetime.fromisoformat(at).astimezone():%Y-%m-%d %H:%M:%S}" if at else ""
