"""The command line. Exit status: 0 done, 1 the execution failed or was cancelled, 2 wrong usage, 3 no server."""

from __future__ import annotations

import sys

from flownb.cli.app import app
from flownb.cli.console import errors
from flownb.cli.status import NO_SERVER, USAGE
from flownb.client import ApiError, NoServer
from flownb.core.errors import FlowNBError


def main() -> None:
    """The ``flownb`` command."""
    try:
        app()
    except FlowNBError as error:
        errors().print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        for name, what in error.errors.items() if isinstance(error, ApiError) else ():
            errors().print(
                f"  {name or 'the data'}: {what}", style="red", markup=False, highlight=False, soft_wrap=True
            )
        absent = isinstance(error, NoServer) or (isinstance(error, ApiError) and error.code == 503)
        sys.exit(NO_SERVER if absent else USAGE)
