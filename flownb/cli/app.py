"""All commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from flownb import __version__
from flownb.cli.backup import backup, restore
from flownb.cli.carry import export
from flownb.cli.check import check
from flownb.cli.data import data, secrets
from flownb.cli.decisions import cancel, postpone, resume
from flownb.cli.deploying import deploy, migrate, rollback, undeploy
from flownb.cli.doctor import doctor
from flownb.cli.emit import emit
from flownb.cli.errors import errors
from flownb.cli.executions import ls, show
from flownb.cli.import_ import import_
from flownb.cli.migrate_store import migrate_store
from flownb.cli.prune import prune
from flownb.cli.repair import open_, replay
from flownb.cli.run import run
from flownb.cli.serve import serve
from flownb.cli.settings import settings
from flownb.cli.usage import usage
from flownb.cli.verify import verify
from flownb.cli.workflows import diff, versions, workflows

COMMANDS: dict[str, Callable[..., Any]] = {
    "run": run,
    "ls": ls,
    "show": show,
    "errors": errors,
    "resume": resume,
    "cancel": cancel,
    "postpone": postpone,
    "emit": emit,
    "replay": replay,
    "open": open_,
    "deploy": deploy,
    "undeploy": undeploy,
    "rollback": rollback,
    "workflows": workflows,
    "versions": versions,
    "diff": diff,
    "migrate": migrate,
    "migrate-store": migrate_store,
    "settings": settings,
    "check": check,
    "doctor": doctor,
    "backup": backup,
    "restore": restore,
    "export": export,
    "import": import_,
    "prune": prune,
    "data": data,
    "secrets": secrets,
    "usage": usage,
    "verify": verify,
    "serve": serve,
}

app = typer.Typer(
    help="Durable workflows that are Jupyter notebooks.",
    epilog="Exit status: 0 done, 1 the execution failed or was cancelled, 2 wrong usage or bad input, 3 no server.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for name, command in COMMANDS.items():
    app.command(name)(command)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"flownb {__version__}")
        raise typer.Exit


@app.callback()
def flownb(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Durable workflows that are Jupyter notebooks."""
