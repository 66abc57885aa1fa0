"""The saved notebook deployed, and its settings shown, from a cell of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from flownb.bridge.forkservers import ForkServers
from tests.authoring.conftest import Author, Open
from tests.client_support import Server, environment, server
from tests.support.notebooks import cell, write

__all__ = ["environment", "server"]

MINE = cell("%flownb deploy --name mine", None, "skip")


@pytest.fixture
def notebook(server: Server, servers: ForkServers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Author]:
    """A notebook in the server's root folder, with a cell that deploys it."""
    monkeypatch.setenv("JPY_SESSION_NAME", str(server.root / "written.ipynb"))
    author = Author(server.root, servers, MINE, "1")
    yield author
    author.kernel.close()


def test_it_is_deployed_as_saved_and_its_hook_stays_a_secret(server: Server, notebook: Author) -> None:
    said = notebook.ask(0)
    found = server.client.workflow("mine")
    assert f"mine, version 1: {server.client.url}flownb/deployed/mine" in said
    assert found["hook_url"].rpartition("/")[2] not in said
    assert "not in the file" not in said
    write(server.root, "written.ipynb", MINE, "2")
    said = notebook.ask("%flownb deploy --name mine ")
    assert "cell 2 (step_1) changed" in said
    said = notebook.ask("%flownb deploy --name mine\n# typed just now")
    assert "this cell is not in the file" in said
    assert "nothing has changed" in said
    server.client.undeploy("mine")


def test_settings_are_shown_and_never_written_behind_the_editors_back(author: Open, tmp_path: Path) -> None:
    notebook = author("1")
    before = notebook.file.read_text()
    assert notebook.ask("%flownb settings").endswith("no settings")
    assert notebook.ask("%flownb settings queue").startswith("not set  # How many events may wait")
    said = notebook.ask("%flownb settings schedule {cron: 0 9 * * *}")
    assert '"flownb": {\n    "schedule": {\n      "cron": "0 9 * * *"' in said
    assert f"""flownb settings {notebook.file} schedule '{json.dumps({"cron": "0 9 * * *"})}'""" in said
    assert notebook.file.read_text() == before
    for line, why in (
        ("%flownb settings queue 0", "`queue` must be at least 1"),
        ("%flownb settings tmeout 1", "there is no setting 'tmeout'"),
        ("%flownb deploy now", "there is --name NAME, and nothing else"),
    ):
        (error,) = notebook.type(line).of_type("error")
        assert (why in error["evalue"], error["traceback"]) == (True, [])
