"""Deploying, versions, migrating and settings at the command line."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from flownb.cli import main, options
from flownb.core.settings_schema import SCHEMA
from tests.cli.conftest import FlowNB, Ran
from tests.client_support import Server
from tests.support.notebooks import cell, notebook, write

RunIn = Callable[..., Ran]

ASK = cell("pd.flow.suspend();", "ask")
SCHEDULE = {"cron": "0 9 * * MON-FRI", "timezone": "Europe/Berlin"}


@pytest.fixture
def run_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunIn:
    """Runs ``flownb`` in a folder, in this process: to start one for each of so many commands would take longest."""

    def run(folder: Path, *arguments: str) -> Ran:
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["flownb", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return Ran(int(ended.value.code or 0), told.out, told.err)

    return run


@pytest.fixture
def flownb(server: Server, run_in: RunIn, monkeypatch: pytest.MonkeyPatch) -> FlowNB:
    """Runs it in the folder that the server serves; all commands share a client, which somebody closes."""
    monkeypatch.setattr(options, "find", lambda url, token, near: server.client)
    return partial(run_in, server.root)


def test_deploy_shows_what_there_is_and_what_changed(server: Server, flownb: FlowNB) -> None:
    write(server.root, "shown.ipynb", ASK, flownb={"name": "orders", "schedule": SCHEDULE, "tmeout": 1})
    done = flownb("deploy", "shown.ipynb")
    assert done.status == 0, done.err
    assert "orders  version 1 from shown.ipynb" in done.out
    assert re.search(r"hook +http://\S+/flownb/hook/\S+", done.out)
    assert "schedule  0 9 * * MON-FRI (Europe/Berlin)" in done.out
    assert "! metadata.flownb has the unknown setting 'tmeout'" in done.out
    write(server.root, "shown.ipynb", ASK, cell("2", "more"), flownb={"name": "orders"})
    assert "cell 2 (more) added" in flownb("deploy", "shown.ipynb", "--dry-run").out
    assert "changed since version 1:" in flownb("deploy", "shown.ipynb").out
    assert "nothing has changed" in flownb("deploy", "shown.ipynb").out
    assert re.search(r"orders +2 +shown.ipynb", flownb("workflows").out)
    assert "-(name: more)" in flownb("diff", "orders", "2", "1").out
    assert "restores  version 1" in flownb("rollback", "orders").out
    assert re.search(r"^3 .*current restores 1$", flownb("versions", "orders").out, re.MULTILINE)
    assert flownb("undeploy", "orders").out == "orders starts nothing any more\n"
    assert "undeployed" in flownb("workflows", "--all").out


def test_deploy_refuses_what_has_errors(server: Server, flownb: FlowNB) -> None:
    write(server.root, "wrong.ipynb", cell("1 +", "sum"))
    done = flownb("deploy", "wrong.ipynb", "--name", "wrong")
    assert (done.status, done.out) == (2, "")
    assert "cell 1 (sum): line 1: SyntaxError" in done.err


def test_migrate_moves_what_is_paused(server: Server, flownb: FlowNB) -> None:
    waits = server.waiting(write(server.root, "moving.ipynb", ASK))["id"]
    write(server.root, "moving.ipynb", ASK, cell("2", "more"))
    assert flownb("migrate", waits, "--dry-run").out.startswith(f"{waits}  would move\n")
    done = flownb("migrate", waits, "nobody")
    assert done.status == 2
    assert done.out.startswith(f"{waits}  moved\n! moved from version ")
    assert "nobody  there is no execution 'nobody'" in done.err
    server.client.cancel(waits)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.ipynb").write_text(
        json.dumps(notebook("'ä'", flownb={"own": 1}), indent=1, ensure_ascii=False) + "\n"
    )
    (tmp_path / "a.ipynb").chmod(0o640)
    return tmp_path


def test_settings_are_set_shown_and_removed_in_the_file(folder: Path, run_in: RunIn) -> None:
    file = folder / "a.ipynb"
    before = file.read_text()
    done = run_in(folder, "settings", "a.ipynb", "schedule", "{cron: 0 9 * * *, timezone: Europe/Berlin}")
    assert (done.status, done.err) == (0, "schedule changed in a.ipynb: `flownb deploy a.ipynb` puts it to work\n")
    assert file.stat().st_mode & 0o777 == 0o640
    said = {"own": 1, "schedule": {"cron": "0 9 * * *", "timezone": "Europe/Berlin"}}
    assert run_in(folder, "settings", "a.ipynb", "--json").json == said
    assert run_in(folder, "settings", "a.ipynb", "schedule").json == said["schedule"]
    assert re.search(r"^schedule +\{.*\} +A time to start by itself", run_in(folder, "settings", "a.ipynb").out, re.M)
    assert run_in(folder, "settings", "a.ipynb", "--unset", "schedule").status == 0
    assert file.read_text() == before
    assert [one.name for one in folder.iterdir()] == ["a.ipynb"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.ipynb", "queue", "0"], "`queue` must be at least 1"),
        (["a.ipynb", "tmeout", "1"], "there is no setting 'tmeout'"),
        (["a.ipynb", "name", "{"], "neither YAML nor JSON"),
        (["a.ipynb", "name", "2026-11-23"], "name"),
        (["b.ipynb", "name", "x"], "b.ipynb cannot be read"),
        ([], "name a NOTEBOOK"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_a_word(
    folder: Path, run_in: RunIn, arguments: list[str], said: str
) -> None:
    before = (folder / "a.ipynb").read_text()
    done = run_in(folder, "settings", *arguments)
    assert (done.status, said in done.err) == (2, True), done.err
    assert (folder / "a.ipynb").read_text() == before


def test_the_schema_is_printed(folder: Path, run_in: RunIn) -> None:
    assert run_in(folder, "settings", "--schema").json == SCHEMA
