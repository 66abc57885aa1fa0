"""Deployed workflows: started by name, pinned, within their limits, and followed by another where they fail."""

from __future__ import annotations

from typing import Any

from tests.support.notebooks import write
from tests.support.server import Server, returned

ECHO = "pd.steps.trigger.event.body"


def deploy(server: Server, name: str, /, *cells: Any, **settings: Any) -> dict[str, Any]:
    """Deploy a notebook of these cells, with these settings."""
    path = write(server.root, f"{name}.ipynb", *cells, flownb=settings)
    answer = server.http.put(f"/workflows/{name}", json={"notebook": path})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def start(server: Server, name: str, data: Any = None) -> str:
    answer = server.http.post("/executions", json={"workflow": name, "data": data})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_a_deployed_workflow_starts_by_its_name_in_the_version_that_was_deployed(shared_server: Server) -> None:
    server = shared_server
    first = deploy(server, "echo", ECHO)
    assert (first["name"], first["number"], first["notebook"]) == ("echo", 1, "echo.ipynb")
    write(server.root, "echo.ipynb", "'edited'")
    ended = server.wait(start(server, "echo", {"a": 1}), "succeeded")
    assert (ended["workflow"], ended["notebook"], ended["version"]) == ("echo", "echo.ipynb", first["version"])
    assert returned(ended, "step_1") == {"a": 1}
    assert server.http.put("/workflows/echo", json={"notebook": "echo.ipynb"}).json()["number"] == 2
    assert returned(server.wait(start(server, "echo"), "succeeded"), "step_1") == "edited"
    assert "echo" in [one["name"] for one in server.http.get("/workflows").json()["workflows"]]
    assert server.http.delete("/workflows/echo").status_code == 204
    for gone in (
        server.http.post("/executions", json={"workflow": "echo"}),
        server.http.get("/workflows/echo"),
        server.http.delete("/workflows/echo"),
    ):
        assert (gone.status_code, gone.json()["reason"]) == (404, "not_found")
    again = server.http.put("/workflows/echo", json={"notebook": "echo.ipynb"}).json()
    assert (again["number"], again["hook_url"]) == (2, first["hook_url"])
    server.http.delete("/workflows/echo")


def test_what_is_deployed_survives_a_crash(make_server: Any) -> None:
    server = make_server().start()
    deploy(server, "echo", ECHO)
    first = server.http.get("/workflows/echo").json()
    server.kill()
    server.start()
    assert server.http.get("/workflows/echo").json() == first
    assert returned(server.wait(start(server, "echo", 7), "succeeded"), "step_1") == 7


def test_one_at_a_time_in_the_order_in_which_they_came_and_no_more_than_may_wait(shared_server: Server) -> None:
    server = shared_server
    log = server.root / "order.txt"
    step = f"with open({str(log)!r}, 'a') as f: print('begin', {ECHO}, file=f)"
    end = f"with open({str(log)!r}, 'a') as f: print('end', {ECHO}, file=f)"
    deploy(server, "ordered", step, end, concurrency=1, queue=3)
    server.http.post("/drain", json={"on": True})
    ids = [start(server, "ordered", number) for number in range(3)]
    full = server.http.post("/executions", json={"workflow": "ordered"})
    assert (full.status_code, full.json()["reason"]) == (429, "queue_full")
    assert int(full.headers["Retry-After"]) >= 1
    server.http.post("/drain", json={"on": False})
    for execution in ids:
        server.wait(execution, "succeeded")
    assert log.read_text().split("\n")[:-1] == [f"{what} {n}" for n in range(3) for what in ("begin", "end")]


def test_no_more_begin_in_any_window_than_may_and_the_next_when_it_is_over(make_server: Any) -> None:
    server = make_server(moving_clock=True).start()
    deploy(server, "slow", ECHO, throttle={"most": 2, "per": "1h"})
    ids = [start(server, "slow", number) for number in range(5)]
    for execution in ids[:2]:
        server.wait(execution, "succeeded")
    server.advance(minutes=59)
    assert [server.get(execution)["status"] for execution in ids[2:]] == ["queued"] * 3
    server.advance(minutes=1)
    for execution in ids[2:4]:
        server.wait(execution, "succeeded")
    assert server.get(ids[4])["status"] == "queued"
    server.kill()
    server.start()
    assert server.get(ids[4])["status"] == "queued"
    server.advance(hours=1)
    server.wait(ids[4], "succeeded")


def test_a_failure_starts_the_workflow_for_errors_once(shared_server: Server) -> None:
    server = shared_server
    deploy(server, "handler", "pd.steps.trigger.event", "1 / 0", on_error="handler")
    deploy(server, "fails", "raise ValueError('no')", on_error="handler")
    deploy(server, "fails_alone", "raise ValueError('no')", on_error="nobody")
    failed = server.wait(start(server, "fails", {"a": 1}), "failed")

    def handled() -> list[dict[str, Any]]:
        page = server.http.get("/executions?workflow=handler").json()["executions"]
        return [one for one in page if one["status"] == "failed"]

    (handler,) = server.until(handled)
    event = handler["trigger"]["event"]
    assert (handler["trigger"]["type"], event["original_event"]) == ("error", {"body": {"a": 1}})
    assert event["original_context"]["trace_id"] == failed["id"]
    assert (event["error"]["code"], event["error"]["message"], event["error"]["step"]) == ("ValueError", "no", "step_1")
    alone = server.wait(start(server, "fails_alone"), "failed")
    assert "was not started: no workflow 'nobody' is deployed" in alone["warnings"][0]
    assert len(server.http.get("/executions?workflow=handler").json()["executions"]) == 1
