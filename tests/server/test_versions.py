"""Versions of a deployed workflow: what is refused, what changed, what was current, and what is again."""

from __future__ import annotations

from typing import Any

from tests.server.test_deployed import deploy, start
from tests.support.notebooks import cell, write
from tests.support.opened import refusal
from tests.support.server import Server, returned


def versions(server: Server, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.http.get(f"/workflows/{name}/versions").json()["versions"]
    return found


def test_all_versions_are_kept_with_their_differences(shared_server: Server) -> None:
    server = shared_server
    first = deploy(server, "kept", cell("'one'", "said"))
    assert (first["before"], first["diff"]["cells"][0]["change"]) == (None, "added")
    second = deploy(server, "kept", cell("'two'", "said"), timeout="1m")
    assert (second["before"], second["diff"]["cells"][0]["diff"].splitlines()[-2:]) == (1, ["-'one'", "+'two'"])
    found = versions(server, "kept")
    assert [(one["number"], one["version"], one["current"]) for one in found] == [
        (2, second["version"], True),
        (1, first["version"], False),
    ]
    back = server.http.get("/workflows/kept/versions/1/diff?from=2").json()
    assert (back["from"], back["to"], back["settings"]) == (2, 1, [{"key": "timeout", "before": "1m", "after": None}])
    assert server.http.get("/workflows/kept/versions/2/diff").json()["text"] == second["diff"]["text"]
    server.http.delete("/workflows/kept")


def test_a_rollback_makes_an_earlier_version_current_under_a_new_number(shared_server: Server) -> None:
    server = shared_server
    texts = ["'one'", "'two'", "'three'"]
    hashes = [deploy(server, "back", text)["version"] for text in texts]
    for number, (restores, version) in enumerate([(2, hashes[1]), (1, hashes[0])], 4):
        said = server.http.post("/workflows/back/rollback").json()
        assert (said["number"], said["restores"], said["version"]) == (number, restores, version)
    assert returned(server.wait(start(server, "back"), "succeeded"), "step_1") == "one"
    assert refusal(server.http.post("/workflows/back/rollback"))[:2] == (400, "bad_request")
    assert refusal(server.http.post("/workflows/back/rollback", json={"number": 9}))[:2] == (404, "not_found")
    assert server.http.post("/workflows/back/rollback", json={"number": 3, "by": "Ana"}).json()["deployed_by"] == "Ana"
    assert [one["restores"] for one in versions(server, "back")] == [3, 1, 2, None, None, None]
    server.http.delete("/workflows/back")


def test_what_has_errors_is_not_deployed_and_warnings_are_told(shared_server: Server) -> None:
    server = shared_server
    write(server.root, "wrong.ipynb", "1", cell("1 +", "sum"), cell("import pandas as pd\npd.flow.exit()", "end"))
    code, reason, message = refusal(server.http.put("/workflows/wrong", json={"notebook": "wrong.ipynb"}))
    assert (code, reason) == (400, "bad_notebook")
    assert "cell 2 (sum): line 1: SyntaxError" in message
    assert "cell 3 (end): line 2: pd.flow is not flownb's" in message
    assert server.http.get("/workflows/wrong").status_code == 404
    warned = deploy(server, "warned", "1", tmeout=3)
    assert "unknown setting 'tmeout'" in warned["warnings"][0]
    server.http.delete("/workflows/warned")


def test_a_dry_run_tells_what_would_change_and_changes_nothing(shared_server: Server) -> None:
    server = shared_server
    first = deploy(server, "dry", "'one'", name="dry")
    write(server.root, "dry.ipynb", "'two'", flownb={"name": "dry"})
    said = server.http.post("/workflows", json={"notebook": "dry.ipynb", "dry_run": True}).json()
    assert (said["name"], said["before"], said["diff"]["cells"][0]["change"]) == ("dry", 1, "changed")
    assert server.http.get("/workflows/dry").json()["version"] == first["version"]
    server.http.delete("/workflows/dry")


def test_what_was_undeployed_stays_listed_and_keeps_its_versions(shared_server: Server) -> None:
    server = shared_server
    deploy(server, "ended", "1")
    server.http.delete("/workflows/ended")
    every = server.http.get("/workflows?all=true").json()["workflows"]
    (found,) = (one for one in every if one["name"] == "ended")
    assert (found["active"], found["hook_url"]) == (False, None)
    assert [one["current"] for one in versions(server, "ended")] == [False]
    assert refusal(server.http.post("/workflows/ended/rollback"))[0] == 404
    assert refusal(server.http.get("/workflows/nobody/versions"))[0] == 404


def test_a_hook_url_is_replaced(shared_server: Server) -> None:
    server = shared_server
    first = deploy(server, "hooked", "1")
    second = server.http.post("/workflows/hooked/hook").json()
    assert second["hook_url"] != first["hook_url"]
    assert deploy(server, "hooked", "2")["hook_url"] == second["hook_url"]
    assert server.http.get("/workflows/hooked").json()["hook_url"] == second["hook_url"]
    server.http.delete("/workflows/hooked")


def test_executions_that_wait_end_on_the_version_that_they_began_with(shared_server: Server) -> None:
    server = shared_server
    ask = cell("pd.flow.suspend();", "ask")
    deploy(server, "old", ask, "'old'")
    first, second = start(server, "old"), start(server, "old")
    server.wait(first, "suspended")
    server.wait(second, "suspended")
    deploy(server, "old", ask, "'new'")
    assert [(one["number"], one["executions"]) for one in versions(server, "old")] == [(2, 0), (1, 2)]
    server.post(first, "resume")
    assert returned(server.wait(first, "succeeded"), "step_2") == "old"
    server.http.delete("/workflows/old")
    server.post(second, "resume")
    assert returned(server.wait(second, "succeeded"), "step_2") == "old"
