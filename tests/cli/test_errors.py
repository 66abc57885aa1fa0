"""``errors``: what has failed, equal ones in one line."""

from __future__ import annotations

from tests.cli.conftest import FlowNB
from tests.client_support import Server
from tests.support.notebooks import write


def test_errors_are_listed_in_groups(server: Server, flownb: FlowNB) -> None:
    notebook = write(server.root, "fails.ipynb", "raise LookupError('lost')")
    for _ in range(2):
        execution = server.client.start(notebook)["id"]
        *_, ended = server.client.follow(execution)
        assert ended["status"] == "failed"
    (error,) = flownb("errors", "--workflow", notebook, "--since", "1h", "--json").json["errors"]
    assert (error["ename"], error["evalue"], error["count"], error["execution"]) == (
        "LookupError",
        "lost",
        2,
        execution,
    )
    listed = flownb("errors", "--workflow", notebook, "--limit", "5")
    assert listed.status == 0
    assert "LookupError: lost" in " ".join(listed.out.split())
    assert flownb("errors", "--workflow", "nobody").out.startswith("No errors since")
    assert flownb("errors", "--since", "soon").status == 2
