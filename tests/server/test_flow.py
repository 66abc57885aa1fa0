"""Flow control from end to end: what the original documentation promises, on a real server with a clock to move."""

from __future__ import annotations

import httpx
import pytest

from tests.support.modes import DROPPED, KEPT
from tests.support.notebooks import cell
from tests.support.server import Server, step

without_a_pause = pytest.mark.parametrize("timed_server", [KEPT], indirect=True)
"""For what comes to no pause, so that all modes are one."""

few_restarts = pytest.mark.parametrize("timed_server", [KEPT, DROPPED], indirect=True)
"""For many pauses in a row, where the server would be killed at each."""

POLL = """
def handler(pd):
    MAX_RETRIES = 3
    DELAY = 1000 * 60 * 10
    run = pd.context['run']
    print('run', run['runs'], 'callback_request' in run)
    if run['runs'] == 1:
        pd.flow.rerun(DELAY, None, MAX_RETRIES)
    elif run['runs'] == MAX_RETRIES + 1:
        raise Exception("Max retries exceeded")
    else:
        pd.flow.rerun(DELAY, None, MAX_RETRIES)
"""


def test_a_suspended_workflow_goes_on_with_its_variables_and_the_data_of_the_request(timed_server: Server) -> None:
    execution = timed_server.run(
        "import math\nrows = [1, 2, 3]\ntotal = lambda: sum(rows)",
        cell("links = pd.flow.suspend(reason='are 3 rows right?')\nsorted(links)", "ask"),
        "rows.append(math.floor(4.5)); [total(), pd.steps['ask'].resume_data.body['ok'], pd.context.resume.body]",
    )
    waiting = timed_server.wait(execution, "suspended")["waiting"]
    assert (waiting["kind"], waiting["step"], waiting["reason"]) == ("suspend", "ask", "are 3 rows right?")
    assert httpx.post(waiting["resume_url"], json={"ok": True}).json()["status"] == "resumed"
    done = timed_server.wait(execution, "succeeded")
    assert done["steps"][2]["exports"]["$return_value"] == [10, True, {"ok": True}]
    assert step(done, "ask")["exports"]["$return_value"] == ["cancel_url", "resume_url"]
    assert (done["segments"], done["credits"]) == (2, 2)


def test_the_default_is_to_resume_after_24_hours_without_resume_data(timed_server: Server) -> None:
    execution = timed_server.run(
        cell("pd.flow.suspend();", "ask"), "['$resume_data' in pd.steps['ask'], pd.context.resume is None]"
    )
    timed_server.wait(execution, "suspended")
    timed_server.advance(hours=23, minutes=59)
    assert timed_server.get(execution)["status"] == "suspended"
    timed_server.advance(minutes=2)
    done = timed_server.wait(execution, "succeeded")
    assert done["steps"][1]["exports"]["$return_value"] == [False, True]
    assert done["suspended_ms"] >= 24 * 3600 * 1000


@pytest.mark.parametrize(
    ("on_timeout", "status", "reason", "step_status"),
    [
        ("resume", "succeeded", None, "succeeded"),
        ("cancel", "cancelled", "timeout", "cancelled"),
        ("error", "failed", "PauseTimeout", "failed"),
    ],
)
def test_what_a_timeout_does(
    timed_server: Server, on_timeout: str, status: str, reason: str | None, step_status: str
) -> None:
    execution = timed_server.run(cell(f"pd.flow.suspend(600_000, on_timeout={on_timeout!r})", "ask"), "1")
    waiting = timed_server.wait(execution, "suspended")["waiting"]
    timed_server.advance(minutes=10)
    done = timed_server.wait(execution, status)
    assert (done["reason"], step(done, "ask")["status"]) == (reason, step_status)
    assert httpx.post(waiting["resume_url"]).status_code == 410


def test_the_polling_example_runs_four_times_and_raises(timed_server: Server) -> None:
    execution = timed_server.run(cell(POLL, "poll"), "'never'")
    for run in (1, 2, 3):
        waiting = timed_server.wait(execution, "suspended", runs=run)["waiting"]
        assert (waiting["kind"], waiting["max_retries"]) == ("rerun", 3)
        timed_server.advance(minutes=10)
    done = timed_server.wait(execution, "failed")
    assert (step(done, "poll")["runs"], done["error"]["evalue"]) == (4, "Max retries exceeded")
    assert done["steps"][1]["status"] == "skipped"
    cells = timed_server.http.get(f"/executions/{execution}/notebook").json()["cells"]
    shown = "".join(output.get("text", "") for output in cells[0]["outputs"])
    assert shown.splitlines() == ["run 1 False", "run 2 False", "run 3 False", "run 4 False"]


@few_restarts
def test_a_step_that_always_reruns_runs_eleven_times_and_the_next_one_follows(timed_server: Server) -> None:
    execution = timed_server.run(cell("seen = pd.context.run.runs\npd.flow.rerun(0);", "again"), "seen")
    done = timed_server.wait(execution, "succeeded")
    assert step(done, "again")["runs"] == 11
    assert done["steps"][1]["exports"]["$return_value"] == 11
    assert any("limit of 10 reruns" in warning for warning in done["warnings"])


def test_a_rerun_keeps_variables_and_context_and_begins_without_exports(timed_server: Server) -> None:
    source = """
run = pd.context.run
if run.runs == 1:
    kept = 'from run 1'
    pd.export('first', 1)
    pd.flow.rerun(600_000, {"hello": "world"})
else:
    pd.export('second', [run.context, kept, run.callback_request])
"""
    execution = timed_server.run(cell(source, "again"))
    assert timed_server.wait(execution, "suspended")["waiting"]["context"] == {"hello": "world"}
    timed_server.advance(minutes=10)
    done = timed_server.wait(execution, "succeeded")
    assert step(done, "again")["exports"] == {"second": [{"hello": "world"}, "from run 1", None]}


def test_a_callback_is_processed_in_the_same_step(timed_server: Server) -> None:
    source = """
async def handler(pd):
    if pd.context.run.runs == 1:
        pd.flow.rerun(86_400_000, None, 1)
    elif 'callback_request' in pd.context.run:
        return pd.context.run.callback_request.body
"""
    execution = timed_server.run(cell(source, "job"))
    resume = timed_server.wait(execution, "suspended")["waiting"]["resume_url"]
    httpx.put(resume, json={"status": "DONE"})
    done = timed_server.wait(execution, "succeeded")
    assert step(done, "job")["exports"] == {"$return_value": {"status": "DONE"}}


def test_context_id_changes_with_each_segment_and_trace_id_does_not(timed_server: Server) -> None:
    execution = timed_server.run(
        cell("pd.export('of', [pd.context.id, pd.context.trace_id])\npd.flow.delay(600_000);", "a"),
        cell("pd.export('of', [pd.context.id, pd.context.trace_id, pd.context.idempotency_key])", "b"),
    )
    timed_server.wait(execution, "suspended")
    timed_server.advance(minutes=10)
    done = timed_server.wait(execution, "succeeded")
    first, second = step(done, "a")["exports"]["of"], step(done, "b")["exports"]["of"]
    assert first[0] != second[0]
    assert first[1] == second[1] == execution


@without_a_pause
def test_exit_ends_the_workflow_at_the_end_of_its_step_and_wins_over_a_pause(timed_server: Server) -> None:
    execution = timed_server.run(
        cell("pd.flow.exit('nothing to do')\nlinks = pd.flow.suspend()\nprint('the rest still runs')", "look"), "1"
    )
    done = timed_server.wait(execution, "succeeded")
    assert (done["reason"], done["steps"][1]["status"]) == ("nothing to do", "skipped")
    assert any("exit wins" in warning for warning in done["warnings"])


def test_the_last_of_several_pauses_wins_and_all_share_their_links(timed_server: Server) -> None:
    execution = timed_server.run(
        cell("first = pd.flow.suspend()\nsecond = pd.flow.delay(600_000)\nprint(first == second)", "ask"), "2"
    )
    waiting = timed_server.wait(execution, "suspended")
    assert waiting["waiting"]["kind"] == "delay"
    assert any("asked for 2 pauses" in warning for warning in waiting["warnings"])
    timed_server.advance(minutes=10)
    timed_server.wait(execution, "succeeded")


@without_a_pause
def test_a_step_that_raises_after_asking_for_a_pause_has_failed(timed_server: Server, tmp_path: object) -> None:
    source = "import pathlib\npathlib.Path('links.txt').write_text(pd.flow.suspend()['resume_url'])\n1 / 0"
    execution = timed_server.run(cell(source, "broken"), "1")
    done = timed_server.wait(execution, "failed")
    assert (done["reason"], done["steps"][1]["status"]) == ("ZeroDivisionError", "skipped")
    answer = httpx.get((timed_server.root / "links.txt").read_text())
    assert (answer.status_code, answer.json()["status"]) == (410, "expired")


def test_handlers_and_flow_go_on_working_where_pandas_takes_the_name_pd(timed_server: Server) -> None:
    (timed_server.root / "pandas.py").write_text("class DataFrame: ...")
    execution = timed_server.run(
        "import pandas as pd\nfrom flownb import flow",
        cell("def handler(flownb_pd):\n    return flownb_pd.context.run.runs", "styled"),
        cell("flow.suspend();", "ask"),
        "pd.DataFrame.__name__",
    )
    timed_server.wait(execution, "suspended")
    timed_server.post(execution, "resume")
    done = timed_server.wait(execution, "succeeded")
    assert step(done, "styled")["exports"]["$return_value"] == 1
    assert done["steps"][3]["exports"]["$return_value"] == "DataFrame"


def test_setup_parameters_and_skip(timed_server: Server) -> None:
    execution = timed_server.run(
        cell("import io\nconnection = io.StringIO('made anew')", None, "setup"),
        cell("days = 7\nlabel = f'{days} days'", "parameters", "parameters"),
        cell("raise SystemError('never run')", None, "skip"),
        cell("handle = open('open.txt', 'w')\npd.flow.suspend();", "ask"),
        cell("[label, connection.read(), days]", "after"),
        cell("handle.write('x')", "lost"),
        data={"days": 30, "other": 1},
        flownb={"timeout": "1m"},
    )
    timed_server.wait(execution, "suspended")
    timed_server.post(execution, "resume")
    done = timed_server.wait(execution, "failed", "succeeded")
    assert step(done, "after")["exports"]["$return_value"] == ["30 days", "made anew", 30]


@without_a_pause
def test_a_step_that_runs_too_long_is_interrupted(timed_server: Server) -> None:
    execution = timed_server.run(cell("#| timeout: 300ms\nimport time\ntime.sleep(60)", "slow"), "1")
    done = timed_server.wait(execution, "failed")
    assert done["reason"] == "StepTimeout"
    assert "300 ms" in done["error"]["evalue"]


@without_a_pause
def test_a_kernel_that_dies_fails_its_step(timed_server: Server) -> None:
    execution = timed_server.run(cell("print('before', flush=True)\nimport os; os.kill(os.getpid(), 9)", "dies"), "1")
    done = timed_server.wait(execution, "failed")
    assert done["reason"] == "KernelDied"
    assert "SIGKILL" in done["error"]["evalue"]


def test_a_retry_waits_and_starts_from_the_checkpoint_with_the_same_run(timed_server: Server) -> None:
    source = """#| retry: {max: 2, first: 10m, limit: 20m}
import pathlib
tries = pathlib.Path('tries.txt')
tries.write_text(tries.read_text() + '.' if tries.exists() else '.')
changed.append(1)
if len(tries.read_text()) < 3:
    raise OSError('not yet')
[len(changed), pd.context.run.runs]
"""
    execution = timed_server.run("changed = []", cell(source, "flaky"))
    for attempt in (1, 2):
        waiting = timed_server.until(lambda: timed_server.look(execution)["waiting"])
        assert (waiting["kind"], waiting["resume_url"]) == ("retry", None)
        timed_server.advance(minutes=20)
        timed_server.until(lambda: step(timed_server.get(execution), "flaky")["attempts"] > attempt)  # noqa: B023
    done = timed_server.wait(execution, "succeeded")
    assert step(done, "flaky")["exports"]["$return_value"] == [1, 1]
