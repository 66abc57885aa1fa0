"""``flownb verify``: whether records were altered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.text import Text

from flownb.cli.console import errors, output, print_json
from flownb.cli.options import AsJson, ServerUrl, Token, connect
from flownb.cli.status import UNSUCCESSFUL
from flownb.client import Client
from flownb.core.errors import InvalidValue

COLOURS = {"sound": "green", "altered": "red", "unsigned": "yellow", "unverifiable": "yellow"}


def verify(
    executions: Annotated[list[str] | None, typer.Argument(metavar="ID...", help="The executions.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All executions.")] = False,
    anchor: Annotated[bool, typer.Option("--anchor", help="Print anchors, to be kept elsewhere.")] = False,
    expect: Annotated[
        list[str] | None, typer.Option(metavar="ANCHOR", help="An anchor that was kept; may be given more than once.")
    ] = None,
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """Say whether anybody without the key has altered the record of executions; status 1 if so."""
    heads = dict(_anchor(one) for one in expect or [])
    client = connect(server_url, token)
    named = _all(client) if every else iter(dict.fromkeys([*(executions or []), *heads]))
    found = [client.verify(one, heads.get(one)) for one in named]
    if not found and not every:
        raise InvalidValue("name an execution, or say --all")
    if as_json:
        print_json({"executions": found})
    for one in found if not as_json else ():
        _show(one, anchor=anchor)
    if any(one["status"] == "altered" for one in found):
        raise typer.Exit(UNSUCCESSFUL)


def _anchor(said: str) -> tuple[str, str]:
    execution, _, head = said.partition(":")
    if not execution or not head:
        raise InvalidValue(f"{said!r} is no anchor: `flownb verify ID --anchor` prints them")
    return execution, head


def _all(client: Client) -> Iterator[str]:
    before: str | None = None
    while True:
        page = client.executions(limit=500, before=before)
        yield from (one["id"] for one in page["executions"])
        if (before := page["next"]) is None:
            return


def _show(found: dict[str, Any], *, anchor: bool) -> None:
    """One line, and one for each thing that was altered; with ``anchor`` the anchor alone stands on standard output."""
    screen = errors() if anchor else output()
    status = found["status"]
    screen.print(
        Text.assemble((f"{status:12}", COLOURS[status]), f"  {found['execution']}  {_more(found)}"), soft_wrap=True
    )
    for one in found["altered"]:
        screen.print(Text(f"  {one['table']}  {one['where']}: {one['what']}", "red"), soft_wrap=True)
    if anchor and found["head"]:
        output().print(Text(f"{found['execution']}:{found['head']}"), soft_wrap=True)


def _more(found: dict[str, Any]) -> str:
    said = [f"{found['entries']} entries"]
    if found["unsigned"]:
        said.append(f"the first {found['unsigned']} are from before entries were signed")
    if found["unverifiable"]:
        said.append(f"{found['unverifiable']} are signed with another key")
    if found["notebook"] == "missing":
        said.append("there is no executed notebook")
    return ", ".join(said)
