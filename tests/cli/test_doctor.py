"""``flownb doctor``."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import FlowNB
from tests.client_support import Server
from tests.support.environments import environment


def test_what_is_stranded_is_told_and_status_1(server: Server, flownb: FlowNB, tmp_path: Path) -> None:
    waiting = server.waiting("ask.ipynb")["id"]
    now = flownb("doctor")
    assert now.status == 0
    assert f"ok        {waiting}  ask.ipynb  ask\n" in now.out
    assert "Snapshots take " in now.out
    assert "old environment" not in now.out
    bare = environment(tmp_path / "bare", packages=False)
    then = flownb("doctor", "--python", str(bare))
    assert then.status == 1
    assert f"stranded  {waiting}  ask.ipynb  ask: ModuleNotFoundError: No module named 'ipykernel'" in then.out
    assert "keep the old environment" in then.out
    told = flownb("doctor", "--python", str(bare), "--json")
    assert told.status == 1
    assert told.json["python"] == str(bare)
    assert waiting in [execution["id"] for execution in told.json["executions"]]
    server.client.cancel(waiting)


def test_an_interpreter_that_is_not_there_is_bad_input(flownb: FlowNB) -> None:
    done = flownb("doctor", "--python", "no/such/python")
    assert (done.status, done.out) == (2, "")
    assert "no/such/python cannot be started" in done.err


def test_no_server(flownb: FlowNB) -> None:
    assert flownb("doctor", "--server-url", "http://127.0.0.1:1").status == 3
