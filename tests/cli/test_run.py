"""``flownb run`` on a server that is up."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import httpx
import pytest

from tests.cli.conftest import Begin, FlowNB, ctrl_c, fact
from tests.client_support import Server


def test_without_wait_it_starts_and_is_done(server: Server, flownb: FlowNB) -> None:
    started = flownb("run", "ask.ipynb")
    assert started.status == 0
    assert started.out.startswith("started ")
    execution = flownb("run", str(server.root / "quick.ipynb"), "--data", "[1]", "--json").json
    assert execution["trigger"]["event"] == {"body": [1]}
    server.client.cancel(started.out.split()[1])


def test_waiting_shows_the_steps_and_the_result(flownb: FlowNB) -> None:
    done = flownb("run", "quick.ipynb", "--wait")
    assert done.status == 0
    head, one, two, tail = done.out.splitlines()
    assert head.startswith("quick.ipynb  execution ")
    assert one.startswith("  ✓ one")
    assert two.endswith('→ {"twice": 42}')
    assert tail.startswith("✓ succeeded")
    assert "1 segment · 1 credit" in tail


def test_a_failure_is_status_1(flownb: FlowNB) -> None:
    done = flownb("run", "fail.ipynb", "--wait", "--json")
    assert done.status == 1
    assert done.json["status"] == "failed"
    for word in ("✗ fail", "ValueError: broken on purpose", "– never"):
        assert word in done.err


def test_json_is_one_document_while_the_progress_goes_elsewhere(server: Server, begin: Begin) -> None:
    process = begin(server.root, "run", "ask.ipynb", "--wait", "--json")
    waiting = _waiting(server, process)
    server.client.cancel(waiting["id"])
    assert process.stdout is not None
    progress, _, document = process.stdout.read().partition("{")
    assert "■ cancelled" in progress
    assert json.loads("{" + document) == server.client.execution(waiting["id"])
    assert process.wait(20) == 1


def test_ctrl_c_leaves_the_execution_alone(server: Server, begin: Begin) -> None:
    process = begin(server.root, "run", "ask.ipynb", "--wait")
    waiting = _waiting(server, process)
    assert ctrl_c(process) == 130
    assert process.stdout is not None
    assert "goes on" in process.stdout.read()
    assert httpx.post(waiting["waiting"]["resume_url"]).json()["status"] == "resumed"
    *_, ended = server.client.follow(waiting["id"])
    assert ended["status"] == "succeeded"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["nothing.ipynb"], "there is no file nothing.ipynb"),
        (["quick.ipynb", "--data", "yes"], "--data is not JSON"),
        (["server.log"], "not a notebook"),
    ],
)
def test_bad_input(flownb: FlowNB, arguments: list[str], word: str) -> None:
    done = flownb("run", *arguments)
    assert (done.status, done.out) == (2, "")
    assert word in done.err


def _waiting(server: Server, process: subprocess.Popen[str]) -> dict[str, Any]:
    """The execution whose review link a command has printed."""
    link = fact(process, "review")
    suspended = server.client.executions(status="suspended")["executions"]
    return next(dict(execution) for execution in suspended if execution["waiting"]["review_url"] == link)
