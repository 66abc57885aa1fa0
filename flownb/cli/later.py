"""Commands that hand a wish to the server and print its answer."""

from __future__ import annotations

from flownb.cli.console import output, print_json
from flownb.cli.options import AsJson, NotebookPath, ServerUrl, Token, connect


def deploy(notebook: NotebookPath, as_json: AsJson = False, server_url: ServerUrl = None, token: Token = None) -> None:
    """Put a notebook to work under its own name."""
    found = connect(server_url, token, notebook).deploy(notebook.stem, notebook)
    if as_json:
        print_json(found)
    else:
        output().print(found["version"], markup=False)
