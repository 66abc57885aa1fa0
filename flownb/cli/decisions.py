"""Commands that decide: resume, cancel, postpone."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated, Any

import typer

from flownb.cli.asking import fill
from flownb.cli.console import errors, output, print_json
from flownb.cli.form_words import how_to_fill
from flownb.cli.options import (
    AsJson,
    By,
    Comment,
    Data,
    ExecutionId,
    ServerUrl,
    Token,
    connect,
    login_name,
    parsed,
)
from flownb.cli.status import USAGE
from flownb.client import Client
from flownb.core.errors import InvalidValue
from flownb.core.words import in_words


def resume(
    execution: ExecutionId,
    data: Data = None,
    which: Annotated[str | None, typer.Option("--which", help="Of a wait for several things, the one.")] = None,
    comment: Comment = None,
    by: By = None,
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """Resume an execution that waits; DATA becomes the body of its $resume_data. Without it, its form is asked for."""
    named = {"which": which} if which is not None else {}
    body, signed = parsed(data), {"by": by or login_name(), "comment": comment, **named}
    client = connect(server_url, token)
    answer = _asking(client, execution, signed, as_json) if data is None else client.resume(execution, body, **signed)
    _tell(execution, answer, as_json)


def _asking(client: Client, execution: str, signed: dict[str, str | None], as_json: bool) -> dict[str, Any]:
    """Resume with what somebody at the terminal fills in, if the pause has a form."""
    waiting = client.execution(execution)["waiting"]
    if not waiting or waiting["form"] is None:
        return client.resume(execution, **signed)
    if not sys.stdin.isatty():
        raise InvalidValue(how_to_fill(waiting["form"], execution, waiting["step"]))
    screen = errors() if as_json else output()
    if waiting["reason"]:
        screen.print(waiting["reason"], style="bold", markup=False)
    # For this very pause: what was typed for it is nothing to end another one with.
    return fill(waiting["form"], screen, lambda data: client.resume(execution, data, pause=waiting["pause"], **signed))


def cancel(
    executions: Annotated[list[str], typer.Argument(metavar="ID...", help="The executions.")],
    comment: Comment = None,
    by: By = None,
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """Cancel executions, whether they wait, run or are queued."""
    client = connect(server_url, token)
    answers = client.decide_many("cancel", executions, by=by or login_name(), comment=comment)
    if as_json:
        print_json({"executions": answers})
    else:
        for answer in answers:
            _tell(answer["id"], answer, as_json)
    if any(answer["code"] >= 400 for answer in answers):
        raise typer.Exit(USAGE)


def postpone(
    execution: ExecutionId,
    later: Annotated[str, typer.Argument(metavar="TIME", help="How much later, such as 2h or 1d.")],
    comment: Comment = None,
    by: By = None,
    as_json: AsJson = False,
    server_url: ServerUrl = None,
    token: Token = None,
) -> None:
    """Put off what happens if nobody answers a pause."""
    signed = {"by": by or login_name(), "comment": comment}
    _tell(execution, connect(server_url, token).postpone(execution, later, **signed), as_json)


def _tell(execution: str, answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    said = f"{execution} {answer['status'].replace('_', ' ')}"
    if answer["status"] == "postponed":
        said += f" until {in_words(answer['at'], datetime.now().astimezone())}"
    if answer.get("by"):
        said += f" by {answer['by']}"
    output().print(said, markup=False, soft_wrap=True)
