"""The saved notebook run in a real server, from a cell of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flownb.bridge.forkservers import ForkServers
from tests.authoring.conftest import Author
from tests.client_support import Server, environment, server, until
from tests.kernel.conftest import Ran
from tests.support.notebooks import cell, write

__all__ = ["environment", "server"]


@pytest.fixture
def notebook(server: Server, servers: ForkServers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Author]:
    """A notebook in the server's root folder."""
    monkeypatch.setenv("JPY_SESSION_NAME", str(server.root / "quick.ipynb"))
    author = Author(server.root, servers)
    yield author
    author.kernel.close()


def shown(author: Author, ran: Ran) -> str:
    """What stands below the cell now."""
    (view,) = ran.of_type("display_data")
    widget = view["data"]["application/vnd.jupyter.widget-view+json"]["model_id"]
    code = f"__import__('ipywidgets').widgets.widget._instances[{widget!r}]"
    return author.kernel.value(f"{code}.head.value + {code}.waits.value + {code}.left.value")


def test_it_is_shown_live_to_its_end(server: Server, notebook: Author) -> None:
    ran = notebook.type('%flownb run ask.ipynb --data {"days": 1}')
    (found,) = server.client.executions(status=None, limit=1)["executions"]
    assert found["trigger"]["event"] == {"body": {"days": 1}}
    assert "ask.ipynb, saved " in ran.text
    waiting = until(lambda: text if "continues by itself" in (text := shown(notebook, ran)) else None)
    assert found["id"] in waiting
    assert "May &lt;b&gt;I&lt;/b&gt;?" in waiting
    server.client.resume(found["id"])
    until(lambda: "succeeded" in shown(notebook, ran) or None)


def test_the_notebook_itself_is_found(notebook: Author) -> None:
    ran = notebook.type("%flownb run")
    assert "quick.ipynb, saved " in ran.text
    until(lambda: "succeeded" in shown(notebook, ran) or None)


def test_a_notebook_with_lines_for_its_author_is_a_workflow_as_it_is(server: Server) -> None:
    lines = "%flownb simulate on\n%flownb check\n%flownb tick 24h\n%flownb run quick.ipynb"
    write(server.root, "own.ipynb", cell("%load_ext flownb"), cell(lines), cell("pd.context.test", "last"))
    *_, done = server.client.follow(server.client.start("own.ipynb")["id"])
    assert done["status"] == "succeeded", done["error"]
    assert done["steps"][-1]["exports"] == {"$return_value": False}
    assert [output for one in server.client.notebook(done["id"])["cells"][:2] for output in one["outputs"]] == []


def test_no_server(notebook: Author, tmp_path: Path) -> None:
    notebook.ask(f"import os; os.environ['JUPYTER_RUNTIME_DIR'] = {str(tmp_path)!r}")
    (error,) = notebook.type("%flownb run quick.ipynb").of_type("error")
    assert "no Jupyter server with flownb is running for" in error["evalue"]
    assert "start one with `flownb serve`" in error["evalue"]
    assert error["traceback"] == []


def test_a_notebook_that_is_refused(server: Server, notebook: Author) -> None:
    (server.root / "bad.ipynb").write_text("{}")
    (error,) = notebook.type("%flownb run bad.ipynb").of_type("error")
    assert "bad.ipynb: not a valid notebook" in error["evalue"]
