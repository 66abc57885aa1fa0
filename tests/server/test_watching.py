"""New files in a folder start a workflow: each once, when it is complete, also those that came without a server."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.server.test_deployed import deploy
from tests.server.test_schedules import started
from tests.support.server import Server

READ = "open(pd.steps.trigger.event.path).read()"


def contents(server: Server, workflow: str, count: int) -> list[Any]:
    """What the executions of a workflow have read, oldest first, once there are so many."""
    found = started(server, workflow, count)
    return [one["steps"][0]["exports"]["$return_value"] for one in found]


def test_each_file_starts_one_when_it_is_complete(shared_server: Server) -> None:
    server = shared_server
    inbox = server.root / "inbox"
    deploy(server, "reads", READ, watch={"folder": "inbox", "pattern": "*.csv"})
    server.until(inbox.exists)
    for name in (".hidden.csv", "other.txt", "half.csv.part"):
        (inbox / name).write_text("no")
    (inbox / "half.csv.part").rename(inbox / "half.csv")
    assert contents(server, "reads", 1) == ["no"]
    (one,) = started(server, "reads", 1)
    event = one["trigger"]["event"]
    assert one["trigger"]["type"] == "file"
    assert (event["path"], event["name"], event["size"], event["body"]) == ("inbox/half.csv", "half.csv", 2, None)
    os.utime(inbox / "half.csv")  # the same content: a touch
    (inbox / "next.csv").write_text("1")
    assert contents(server, "reads", 2) == ["no", "1"]
    (inbox / "half.csv").write_text("yes")
    assert contents(server, "reads", 3) == ["no", "1", "yes"]
    (inbox / "next.csv").unlink()
    (inbox / "last.csv").write_text("2")
    assert contents(server, "reads", 4)[3] == "2"
    (inbox / "next.csv").write_text("1")  # as before, but another file
    assert contents(server, "reads", 5)[4] == "1"
    server.http.delete("/workflows/reads")


def test_what_came_without_a_server_is_found_and_what_was_known_stays_so(make_server: MakeServer) -> None:
    server = make_server("--FlowNB.pool_size=0").start()
    inbox = server.root / "deep" / "inbox"
    inbox.mkdir(parents=True)
    (inbox / "a").write_text("a")
    (inbox / "taken_away").write_text("b")
    deploy(server, "reads", READ, watch={"folder": "deep/inbox"})
    assert contents(server, "reads", 2) == ["a", "b"]
    server.http.delete(f"/executions/{started(server, 'reads', 2)[0]['id']}")
    server.kill()
    (inbox / "c").write_text("c")
    (inbox / "taken_away").unlink()
    server.start()
    assert contents(server, "reads", 2) == ["b", "c"]  # that of `a` was deleted, and its file is known
    (inbox / "a").unlink()
    (inbox / "taken_away").unlink(missing_ok=True)
    inbox.joinpath("c").unlink()
    inbox.rmdir()
    server.until(inbox.exists)
    (inbox / "d").write_text("d")
    assert contents(server, "reads", 3) == ["b", "c", "d"]


@pytest.mark.parametrize("folder", ["../out", "/tmp", "inside/../../out"])
def test_a_folder_outside_of_the_root_is_refused(shared_server: Server, folder: str) -> None:
    with pytest.raises(AssertionError, match="is not in the server's root folder"):
        deploy(shared_server, "outside", "1", watch={"folder": folder})
