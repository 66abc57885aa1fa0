"""``%flownb run``: an execution in the server, shown below the cell while it goes on."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from IPython.display import display

from flownb.authoring.checking import saved
from flownb.client import find
from flownb.core.model import Json
from flownb.widgets import ExecutionView


def run(path: Path, data: Json) -> None:
    """Start the saved notebook in this kernel's server, and show how it goes; raises ``NoServer``, ``ApiError``."""
    with closing(find()) as client:
        started = client.start(path, data)
    print(saved(path))  # noqa: T201
    display(ExecutionView(started["id"]))  # type: ignore[no-untyped-call]
