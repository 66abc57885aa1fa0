"""``ls``, ``show``, ``resume``, ``cancel`` and bad input."""

from __future__ import annotations

import pytest

from tests.cli.conftest import FlowNB
from tests.client_support import Server


def test_a_suspended_execution_is_listed_shown_and_resumed(server: Server, flownb: FlowNB) -> None:
    waiting = server.waiting("ask.ipynb")
    listed = flownb("ls", "--status", "suspended", "--workflow", "ask.ipynb", "--limit", "1")
    assert listed.status == 0
    assert waiting["id"] in listed.out
    assert "ask.ipynb" in listed.out
    (first, *_) = flownb("ls", "--status", "suspended", "--json").json["executions"]
    assert first.items() <= waiting.items()
    assert waiting.keys() - first.keys() == {"checkpoints", "variables", "disk", "pauses"}
    shown = flownb("show", waiting["id"])
    for word in ("May <b>I</b>?", waiting["waiting"]["review_url"], "continues by itself in 23 h 59 min"):
        assert word in shown.out
    assert flownb("show", waiting["id"], "--json").json == waiting
    resumed = flownb("resume", waiting["id"], "--data", '{"by": "me"}', "--json")
    assert resumed.json["status"] == "resumed"
    *_, ended = server.client.follow(waiting["id"])
    assert ended["steps"][1]["exports"]["$return_value"] == {"by": "me"}
    late = flownb("resume", waiting["id"])
    assert (late.status, late.out) == (2, "")


def test_a_rerun_is_counted(server: Server, flownb: FlowNB) -> None:
    waiting = server.waiting("again.ipynb")
    assert "run 1 of 4" in flownb("show", waiting["id"]).out
    assert "again run 1 of 4" in flownb("ls").out
    assert flownb("cancel", waiting["id"]).out == f"{waiting['id']} cancelled\n"


def test_cancelling_many_tells_of_each(server: Server, flownb: FlowNB) -> None:
    ids = [server.waiting("ask.ipynb")["id"] for _ in range(2)]
    done = flownb("cancel", *ids, "nobody")
    assert done.status == 2
    assert done.out.splitlines() == [f"{ids[0]} cancelled", f"{ids[1]} cancelled", "nobody not found"]
    again = flownb("cancel", ids[0], "--json")
    assert (again.status, again.json["executions"][0]["status"]) == (0, "already_cancelled")


def test_a_failed_step_is_shown_with_its_error(server: Server, flownb: FlowNB) -> None:
    *_, failed = server.client.follow(server.client.start("fail.ipynb")["id"])
    shown = flownb("show", failed["id"])
    assert shown.status == 0
    assert "ValueError: broken on purpose" in shown.out


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["show", "nobody"], "there is no execution 'nobody'"),
        (["resume", "nobody", "--data", "{'a': 1}"], "--data is not JSON"),
        (["resume", "nobody", "--data", "NaN"], "NaN is no number of JSON"),
        (["ls", "--status", "asleep"], "status is one of"),
        (["ls", "--limit", "0"], "--limit"),
        (["replay", "nobody", "--from", "a"], "there is no execution 'nobody'"),
        (["open", "nobody", "--step", "a"], "there is no execution 'nobody'"),
        (["cancel"], "ID"),
        (["unknown"], "unknown"),
    ],
)
def test_bad_input(flownb: FlowNB, arguments: list[str], word: str) -> None:
    done = flownb(*arguments)
    assert (done.status, done.out) == (2, "")
    assert word in done.err


def test_no_server(server: Server, flownb: FlowNB) -> None:
    done = flownb("ls", "--server-url", "http://127.0.0.1:1", "--token", "a-secret")
    assert (done.status, done.out) == (3, "")
    assert "does not answer" in done.err
    assert "a-secret" not in done.err


def test_a_named_server_and_its_token(server: Server, flownb: FlowNB) -> None:
    assert flownb("ls", "--server-url", server.client.url, "--json").status == 0
    refused = flownb("ls", "--server-url", server.client.url, "--token", "wrong")
    assert refused.status == 2
    assert "is the token right?" in refused.err


def test_help_and_version(flownb: FlowNB) -> None:
    assert flownb("--version").out.startswith("flownb ")
    listed = flownb("--help").out
    commands = ("run", "ls", "show", "resume", "cancel", "postpone", "replay", "open", "deploy", "check", "serve")
    assert all(f" {command} " in listed for command in commands)
