"""The REST API on a real server."""

from __future__ import annotations

import json
from typing import Any

import httpx
import nbformat
import pytest

from tests.support.notebooks import cell, notebook, write
from tests.support.server import TOKEN, Server, step

SLEEPS = "import time\nprint('begun', flush=True)\ntime.sleep(60)"
FIELDS = """id workflow notebook version status created_at started_at finished_at reason error segments compute_ms
suspended_ms credits replay_of moved_to response executed_notebook warnings trigger steps waiting pauses checkpoints
variables disk"""
WAITING = """kind step since wakes_at on_timeout otherwise reason runs attempt pause max_retries remind_every context
form alternatives approvals resume_url cancel_url review_url"""
STEP = "name cell_id status runs attempts started_at finished_at compute_ms exports error last_error"


def test_an_execution_has_the_fields_of_the_contract(shared_server: Server) -> None:
    execution = shared_server.run(cell("pd.flow.suspend();", "ask"), data={"n": 1})
    found = shared_server.wait(execution, "suspended")
    assert set(found) == set(FIELDS.split())
    assert set(found["waiting"]) == set(WAITING.split())
    assert set(found["steps"][0]) == set(STEP.split())
    assert found["trigger"]["event"] == {"body": {"n": 1}}
    assert found["created_at"].endswith("Z")
    assert len(found["created_at"]) == len("2026-01-01T00:00:00.000Z")
    shared_server.post(execution, "cancel")


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        ({}, 400, "`notebook`"),
        ({"notebook": "missing.ipynb"}, 404, "missing.ipynb"),
        ({"notebook": "../outside.ipynb"}, 404, "outside"),
        ({"notebook": "a\x00b"}, 404, "no notebook"),
        ({"notebook": "broken.ipynb"}, 400, "not a notebook"),
        ({"notebook": "twice.ipynb"}, 400, "'a' is taken by cell 1"),
        ({"notebook": "directive.ipynb"}, 400, "cell 2"),
        ({"notebook": "blank.ipynb"}, 400, "no step"),
        ({"notebook": "julia.ipynb"}, 400, "julia"),
        ({"notebook": "kernelspec.ipynb"}, 400, "no kernelspec 'nowhere'"),
        ({"notebook": "twice.ipynb", "dta": 1}, 400, "'dta'"),
        ({"workflow": "nightly"}, 404, "nightly"),
        ([], 400, "object"),
    ],
)
def test_what_cannot_be_started_is_refused_with_a_reason(
    shared_server: Server, body: Any, code: int, says: str
) -> None:
    root = shared_server.root
    (root / "broken.ipynb").write_text('{"cells": [')
    write(root, "twice.ipynb", cell("1", "a"), cell("2", "a"))
    write(root, "directive.ipynb", "1", "#| timeout: soon\n2")
    write(root, "blank.ipynb", "  ", cell("1", None, "skip"))
    write(root, "julia.ipynb", "1", kernelspec={"name": "julia", "language": "julia", "display_name": "Julia"})
    write(root, "kernelspec.ipynb", "1", kernelspec={"name": "nowhere", "display_name": "?"})
    answer = shared_server.http.post("/executions", json=body)
    assert (answer.status_code, set(answer.json())) == (code, {"message", "reason"})
    assert says in answer.json()["message"]


def test_bad_json_and_unknown_things_get_an_error_object(shared_server: Server) -> None:
    http = shared_server.http
    answers = [
        (http.post("/executions", content=b"{"), 400),
        (http.post("/executions", content=b"x" * 600_000), 413),
        (http.get("/executions/nobody"), 404),
        (http.get("/executions?status=asleep"), 400),
        (http.get("/executions?limit=0"), 400),
        (http.delete("/executions/nobody"), 404),
        (http.post("/executions/nobody/resume", json={}), 404),
        (http.post("/executions/nobody/cancel", json={}), 404),
        (http.get("/executions/nobody/notebook"), 404),
        (http.post("/executions/nobody/replay", json={}), 404),
        (http.post("/executions/nobody/open"), 404),
        (http.get("/workflows/nobody"), 404),
        (http.get("/nothing"), 404),
    ]
    for answer, code in answers:
        assert answer.status_code == code, answer.text
        assert set(answer.json()) == {"message", "reason"}


def test_nothing_is_given_without_a_login(shared_server: Server) -> None:
    write(shared_server.root, "open.ipynb", "1")
    with httpx.Client(base_url=shared_server.api) as nobody:
        for method, path in [("GET", "/executions"), ("GET", "/health"), ("GET", "/events"), ("GET", "/executions/x")]:
            assert nobody.request(method, path).status_code in (401, 403)
        assert nobody.post("/executions", json={"notebook": "open.ipynb"}).status_code in (401, 403)
        assert nobody.post("/drain", json={"on": True}).status_code in (401, 403)


def test_pages_of_executions_newest_first(make_server: Any) -> None:
    server = make_server().start()
    write(server.root, "a.ipynb", "1")
    write(server.root, "b.ipynb", "pd.flow.suspend()")
    ids = [server.submit("a.ipynb") for _ in range(5)]
    waits = server.submit("b.ipynb")
    for execution in ids:
        server.wait(execution, "succeeded")
    server.wait(waits, "suspended")
    first = server.http.get("/executions?limit=4&workflow=a.ipynb").json()
    assert [one["id"] for one in first["executions"]] == ids[::-1][:4]
    rest = server.http.get(f"/executions?limit=4&workflow=a.ipynb&before={first['next']}").json()
    assert ([one["id"] for one in rest["executions"]], rest["next"]) == (ids[:1], None)
    waiting = server.http.get("/executions?status=suspended").json()["executions"]
    assert [one["id"] for one in waiting] == [waits]
    assert server.http.get("/health").json()["executions"]["succeeded"] == 5


def shown_by(server: Server, execution: str) -> list[Any]:
    """What the first step has shown so far."""
    outputs: list[Any] = server.http.get(f"/executions/{execution}/notebook").json()["cells"][0]["outputs"]
    return outputs


def test_resume_and_cancel_by_the_api(shared_server: Server) -> None:
    running = shared_server.run(cell(SLEEPS, "sleeps"), "1")
    shared_server.until(lambda: shown_by(shared_server, running))
    refused = shared_server.post(running, "resume", data=1)
    assert (refused.status_code, refused.json()["reason"]) == (409, "not_suspended")
    assert shared_server.post(running, "cancel").json()["status"] == "cancelled"
    again = shared_server.post(running, "cancel")
    assert (again.status_code, again.json()["status"]) == (200, "already_cancelled")
    assert shared_server.post(running, "resume").status_code == 410
    done = shared_server.get(running)
    assert [one["status"] for one in done["steps"]] == ["cancelled", "skipped"]
    assert shared_server.until(lambda: shown_by(shared_server, running))[0]["text"] == "begun\n"

    waiting = shared_server.run(cell("pd.flow.suspend();", "ask"), "2")
    shared_server.wait(waiting, "suspended")
    assert shared_server.post(waiting, "resume", data={"by": "api"}).json()["status"] == "resumed"
    done = shared_server.wait(waiting, "succeeded")
    data = step(done, "ask")["exports"]["$resume_data"]
    assert data["body"] == {"by": "api"}
    assert "authorization" not in data["headers"]
    assert TOKEN not in json.dumps(data)
    assert shared_server.post(waiting, "cancel").status_code == 410


def test_resume_by_the_api_while_a_step_that_asked_for_a_pause_still_runs(shared_server: Server) -> None:
    source = "import time, pathlib\npd.flow.suspend()\nwhile not pathlib.Path('go-on').exists(): time.sleep(.01)"
    execution = shared_server.run(cell(source, "ask"), "pd.context.resume.body")
    accepted = shared_server.until(
        lambda: (answer := shared_server.post(execution, "resume", data="early")).status_code == 202 and answer
    )
    assert accepted.json()["status"] == "accepted"
    (shared_server.root / "go-on").touch()
    done = shared_server.wait(execution, "succeeded")
    assert done["steps"][1]["exports"]["$return_value"] == "early"


def test_a_cell_that_ignores_interrupts_is_killed_after_a_grace_period(shared_server: Server) -> None:
    stubborn = (
        "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(60)"
    )
    execution = shared_server.run(stubborn)
    shared_server.until(lambda: shared_server.get(execution)["steps"][0]["status"] == "running")
    assert shared_server.post(execution, "cancel").status_code == 200
    shared_server.until(lambda: shared_server.http.get("/health").json()["running"] == 0)


def test_many_can_be_cancelled_at_once(shared_server: Server) -> None:
    ids = [shared_server.run("pd.flow.suspend()") for _ in range(3)]
    for execution in ids:
        shared_server.wait(execution, "suspended")
    answer = shared_server.http.post("/executions/cancel", json={"executions": [*ids, "nobody"]}).json()
    assert [one["status"] for one in answer["executions"]] == ["cancelled"] * 3 + ["not_found"]


def test_only_what_is_final_can_be_deleted(shared_server: Server) -> None:
    execution = shared_server.run("pd.flow.suspend()")
    link = shared_server.wait(execution, "suspended")["waiting"]["resume_url"]
    assert shared_server.http.delete(f"/executions/{execution}").status_code == 409
    shared_server.post(execution, "cancel")
    assert shared_server.http.delete(f"/executions/{execution}").status_code == 204
    assert shared_server.http.get(f"/executions/{execution}").status_code == 404
    assert httpx.get(link).status_code == 404


def test_the_executed_notebook_is_valid_and_shows_what_each_step_showed(shared_server: Server) -> None:
    cells: list[Any] = ["print('a')\nprint('b')", "from IPython.display import display\ndisplay({'x': 1})\n2"]
    execution = shared_server.run(*cells, "1/0", "'never'")
    shared_server.wait(execution, "failed")
    found = shared_server.http.get(f"/executions/{execution}/notebook").json()
    nbformat.validate(found)
    outputs = [one["outputs"] for one in found["cells"]]
    assert outputs[0] == [{"output_type": "stream", "name": "stdout", "text": "a\nb\n"}]
    assert [one["output_type"] for one in outputs[1]] == ["display_data", "execute_result"]
    assert outputs[2][0]["ename"] == "ZeroDivisionError"
    assert [one["metadata"]["flownb"]["status"] for one in found["cells"]] == [
        "succeeded",
        "succeeded",
        "failed",
        "skipped",
    ]
    runs = shared_server.root / "flownb-runs"
    written = shared_server.until(lambda: list(runs.glob(f"*{execution}.ipynb")))
    assert nbformat.read(written[0], 4) == nbformat.from_dict(found)


def test_the_author_s_notebook_is_pinned_and_never_written(shared_server: Server) -> None:
    name = write(shared_server.root, "pinned.ipynb", "pd.flow.suspend()", "'first'")
    before = (shared_server.root / name).read_bytes()
    execution = shared_server.submit(name)
    shared_server.wait(execution, "suspended")
    assert (shared_server.root / name).read_bytes() == before
    write(shared_server.root, name, "pd.flow.suspend()", "'second'")
    shared_server.post(execution, "resume")
    done = shared_server.wait(execution, "succeeded")
    assert done["steps"][1]["exports"]["$return_value"] == "first"


def test_events_tell_of_every_change_and_go_on_where_they_broke_off(shared_server: Server) -> None:
    write(shared_server.root, "told.ipynb", "1")

    def follow(last: str | None) -> list[tuple[str, dict[str, Any]]]:
        headers = {"Last-Event-ID": last} if last else {}
        found: list[tuple[str, dict[str, Any]]] = []
        with shared_server.http.stream("GET", "/events", headers=headers) as stream:
            number = ""
            for line in stream.iter_lines():
                if line.startswith("id: "):
                    if last is None and not number:
                        shared_server.submit("told.ipynb")
                    number = line.removeprefix("id: ")
                if line.startswith("data: "):
                    found.append((number, json.loads(line.removeprefix("data: "))))
                    if found[-1][1]["workflow"] == "told.ipynb" and found[-1][1]["status"] == "succeeded":
                        return found
        raise AssertionError("the stream ended")

    told = follow(None)
    mine = [change for _, change in told if change["workflow"] == "told.ipynb"]
    assert [change["event"] for change in mine] == ["Created", "Admitted", "StepStarted", "StepFinished"]
    assert [change["status"] for change in mine] == ["queued", "running", "running", "succeeded"]
    assert follow(told[0][0]) == told[1:]


def test_draining_admits_nothing_new_until_it_is_over(make_server: Any) -> None:
    server = make_server().start()
    assert server.http.post("/drain", json={"on": True}).json()["draining"] is True
    execution = server.run("1")
    assert server.http.get("/health").json()["status"] == "draining"
    assert server.get(execution)["status"] == "queued"
    server.http.post("/drain", json={"on": False})
    server.wait(execution, "succeeded")


def test_exports_that_are_not_json_fail_the_step_and_say_where(shared_server: Server) -> None:
    execution = shared_server.run("pd.export('order', {'items': [1, {'price': float('nan')}]})")
    done = shared_server.wait(execution, "failed")
    assert "order.items[1].price" in done["error"]["evalue"]


@pytest.mark.parametrize("delay", ["-1", "None", "True", "float('nan')", "'10'", "367 * 86_400_000"])
def test_a_delay_that_is_no_time_raises_at_the_call(shared_server: Server, delay: str) -> None:
    execution = shared_server.run(cell(f"pd.flow.rerun({delay})", "bad"))
    assert shared_server.wait(execution, "failed")["reason"] == "InvalidValue"


def test_a_syntax_error_fails_its_step_and_no_other(shared_server: Server) -> None:
    execution = shared_server.run("kept = 1", cell("def broken(:", "broken"))
    done = shared_server.wait(execution, "failed")
    assert [one["status"] for one in done["steps"]] == ["succeeded", "failed"]
    assert done["reason"] == "SyntaxError"


def test_a_notebook_from_before_cell_ids_runs(shared_server: Server) -> None:
    old = notebook("1 + 1")
    old.update(nbformat_minor=2)
    del old["cells"][0]["id"]
    (shared_server.root / "old.ipynb").write_text(json.dumps(old))
    done = shared_server.wait(shared_server.submit("old.ipynb"), "succeeded")
    assert done["steps"][0]["exports"]["$return_value"] == 2


def test_the_same_cells_with_other_ids_show_their_outputs_all_the_same(shared_server: Server) -> None:
    first, second = notebook("'the same'"), notebook("'the same'")
    second["cells"][0]["id"] = "another-id"
    for content in (first, second):
        (shared_server.root / "ids.ipynb").write_text(json.dumps(content))
        execution = shared_server.submit("ids.ipynb")
        done = shared_server.wait(execution, "succeeded")
        shown = shared_server.http.get(f"/executions/{execution}/notebook").json()["cells"][0]
        assert (shown["id"], len(shown["outputs"])) == (done["steps"][0]["cell_id"], 1)
