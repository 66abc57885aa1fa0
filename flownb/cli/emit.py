"""``flownb emit``: tell of something that has happened."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from flownb.cli.console import output, print_json
from flownb.cli.options import AsJson, Data, ServerUrl, Token, connect, parsed
from flownb.core.errors import InvalidValue


def emit(
    workflow: Annotated[str | None, typer.Argument(help="A deployed workflow, which is started.")] = None,
    event: Annotated[str | None, typer.Option("--event", help="The name of an event that executions wait for.")] = None,
    data: Data = None,
    key: Annotated[str | None, typer.Option("--key", help="The same again is the same event, told twice.")] = None,
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """Start a deployed workflow, or wake all executions that wait for a named event."""
    if (workflow is None) is (event is None):
        raise InvalidValue("name a workflow, or an event with --event NAME")
    body, client = parsed(data), connect(server_url, token)
    if event is not None:
        told = client.emit(event, body, key=key)
        said = Text.assemble(f"{event}: {len(told['resumed'])} resumed  ", (" ".join(told["resumed"]), "bold"))
        if told["repeated"]:
            said = Text(f"{event}: known already by its key, nobody resumed")
    else:
        assert workflow is not None
        if key is not None:
            raise InvalidValue("--key is for --event")
        told = client.start_workflow(workflow, body, trigger="emit")
        said = Text.assemble("started ", (told["id"], "bold"), f"  flownb show {told['id']}")
    if as_json:
        print_json(told)
    else:
        output().print(said, soft_wrap=True)
