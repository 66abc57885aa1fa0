"""Named events: everybody who waits for one goes on, also those who began to wait shortly after.

Kernels are kept, or the server is killed: what answers is the same where kernels alone are dropped.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.modes import EXTREMES
from tests.support.notebooks import cell
from tests.support.server import Server, step

BODY = cell("(pd.context.resume or {}).get('body')", "next")


def run(server: Server, *options: str) -> str:
    return server.run(cell(f"pd.flow.wait([pd.flow.event({', '.join(options)})], 3_600_000);", "ask"), BODY)


def emit(server: Server, event: str, data: Any = None, **more: Any) -> dict[str, Any]:
    answer = server.http.post("/events", json={"event": event, "data": data, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def got(server: Server, execution: str) -> Any:
    return step(server.wait(execution, "succeeded"), "next")["exports"].get("$return_value")


@pytest.mark.parametrize("each_server", EXTREMES, indirect=True)
def test_one_event_wakes_all_that_wait_for_it_and_nobody_else(each_server: Server) -> None:
    both = [run(each_server, "'order-1'") for _ in range(2)]
    other = run(each_server, "'order-2'")
    for execution in (*both, other):
        each_server.wait(execution, "suspended")
    assert sorted(emit(each_server, "order-1", {"paid": True})["resumed"]) == sorted(both)
    for execution in both:
        assert got(each_server, execution) == {"paid": True}
        data = step(each_server.get(execution), "ask")["exports"]["$resume_data"]
        assert (data["which"], data["event"]["name"], data["method"]) == ("order-1", "order-1", None)
    assert each_server.get(other)["status"] == "suspended"
    assert emit(each_server, "order-2")["resumed"] == [other]


def test_the_same_key_again_is_the_same_event(shared_server: Server) -> None:
    assert emit(shared_server, "keyed", 1, key="a") == {"event": "keyed", "repeated": False, "resumed": []}
    execution = run(shared_server, "'keyed'", "look_back=0")
    shared_server.wait(execution, "suspended")
    assert emit(shared_server, "keyed", 2, key="a") == {"event": "keyed", "repeated": True, "resumed": []}
    assert emit(shared_server, "keyed", 3, key="b")["resumed"] == [execution]
    assert got(shared_server, execution) == 3


def test_an_event_of_shortly_before_counts_and_the_latest_of_several(make_server: Any) -> None:
    server = make_server(moving_clock=True).start()
    emit(server, "early", "first")
    emit(server, "early", "second")
    server.advance(minutes=4)
    assert got(server, run(server, "'early'")) == "second"
    server.advance(minutes=2)
    late = run(server, "'early'")
    server.wait(late, "suspended")
    assert got(server, run(server, "'early'", "look_back='1d'")) == "second"
    unlooked = run(server, "'early'", "look_back=0")
    server.wait(unlooked, "suspended")
    server.kill()
    server.start()
    assert sorted(emit(server, "early", "third")["resumed"]) == sorted([late, unlooked])


def test_an_execution_does_not_go_on_twice_by_one_event(shared_server: Server) -> None:
    wait = "pd.flow.wait([pd.flow.event('tick')], 3_600_000);"
    execution = shared_server.run(cell(wait, "one"), cell(wait, "two"), cell("1", "three"))
    shared_server.wait(execution, "suspended")
    emit(shared_server, "tick")
    shared_server.until(lambda: (shared_server.get(execution)["waiting"] or {}).get("step") == "two")
    emit(shared_server, "tick")
    shared_server.wait(execution, "succeeded")


@pytest.mark.parametrize(
    "said", [{}, {"event": ""}, {"event": 1}, {"event": "a\nb"}, {"event": "a", "key": 1}, {"event": "a", "more": 1}]
)
def test_what_is_no_event_is_refused(shared_server: Server, said: dict[str, Any]) -> None:
    answer = shared_server.http.post("/events", json=said)
    assert (answer.status_code, answer.json()["reason"]) == (400, "bad_request")
