"""The pytest plugin, in a pytest of its own, as whoever has installed flownb runs it."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from tests.support.notebooks import cell, write

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "testing.md"

FAILING = """
import pytest

def test_the_story(flownb):
    flownb.run("bad.ipynb", {"n": 3}).succeeds()

def test_what_waits(flownb):
    run = flownb.run("ask.ipynb")
    run.waits("ask")
    run.succeeds()

def test_no_notebook(flownb):
    flownb.run("none.ipynb")
"""

PASSING = """
import os
import pytest

@pytest.fixture(scope="session")
def flownb_environment():
    return {"WHERE": "here"}

def test_timers_fire_one_after_the_other(flownb):
    run = flownb.run("poll.ipynb")
    run.waits("poll", runs=1)
    run.advance(minutes=9)
    run.waits("poll", runs=1)
    run.advance(hours=1)
    run.waits("poll", runs=7)
    run.resume()
    run.waits("poll", runs=8)

def test_what_the_last_test_left_is_gone(flownb):
    assert not flownb.client.executions(status="suspended")["executions"]
    assert not flownb.client.executions(status="running")["executions"]

def test_what_a_run_shows(flownb, request):
    run = flownb.run("ask.ipynb", data={"amount": 7})
    run.waits("ask", reason="Is 7 right?")
    assert run.mails[0]["subject"] == "Is 7 right?" and run.review_url in run.mails[0]["text"]
    run.resume({"ok": True})
    run.succeeds()
    done = run.steps["done"]
    assert done.returned == {"ok": True, "where": "here", "folder": str(request.path.parent)}
    assert done.exports["seen"] is True and done.text.startswith("it was\\n")
    assert run.steps["ask"].resume_data["body"] == {"ok": True}
    assert list(run.steps) == ["ask", "done"]

def test_triggers_start_a_deployed_workflow(flownb):
    daily = flownb.deploy("daily.ipynb")
    assert daily.hook(json={"n": 1}).status_code == 200
    run = daily.started()
    run.succeeds()
    assert run.steps["go"].returned == ["http", {"n": 1}]
    daily.advance(days=2)
    assert [daily.started().execution["trigger"]["type"] for _ in range(2)] == ["schedule"] * 2

@pytest.mark.flownb_settings("--FlowNB.confirm_links=True")
def test_settings_of_one_test(flownb):
    workflow = flownb.deploy("ask.ipynb", "asking")
    run = workflow.start({"amount": 8})
    run.waits("ask", reason="Is 8 right?")
    assert run.post(run.cancel_url).status_code == 200
    run.is_cancelled()
"""

POLL = "pd.flow.rerun(10 * 60_000, None, 20)"
ASK = """amount = pd.steps.trigger.event.body["amount"]
links = pd.flow.suspend(reason=f"Is {amount} right?")
pd.send.email(subject=f"Is {amount} right?", text=links.review_url)"""
DONE = """import os
print("it was")
pd.export("seen", True)
value = {"ok": pd.steps["ask"].resume_data.body.ok, "where": os.environ["WHERE"], "folder": os.getcwd()}
def handler(pd):
    return value"""
GO = "['http' if pd.steps.trigger.event.get('method') else 'time', pd.steps.trigger.event.get('body')]"
BAD = "print('before')\n1 / (pd.steps.trigger.event.body['n'] - 3)"


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project whose pytest has this plugin alone, by its name, whether or not flownb is installed."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    pytester.makeini("[pytest]\naddopts = -p flownb.testing.plugin\nflownb_settings = --FlowNB.preload=json\n")
    return pytester


def test_the_example_of_the_docs_passes(project: pytest.Pytester) -> None:
    shutil.copy(REPOSITORY / "notebooks" / "approval.ipynb", project.path)
    project.makepyfile("\n\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)))
    project.runpytest_subprocess("-q").assert_outcomes(passed=2)


def test_runs_clock_settings_and_environment(project: pytest.Pytester) -> None:
    write(project.path, "poll.ipynb", cell(POLL, "poll"))
    write(project.path, "ask.ipynb", cell(ASK, "ask"), cell(DONE, "done"))
    write(project.path, "daily.ipynb", cell(GO, "go"), flownb={"schedule": {"cron": "0 9 * * *"}})
    project.makepyfile(PASSING)
    project.runpytest_subprocess("-q").assert_outcomes(passed=5)


def test_what_fails_tells_its_story(project: pytest.Pytester) -> None:
    write(project.path, "bad.ipynb", cell(BAD, "divide"))
    write(project.path, "ask.ipynb", cell("pd.flow.suspend(reason='Well?')", "ask"))
    project.makepyfile(FAILING)
    ended = project.runpytest_subprocess("-q")
    ended.assert_outcomes(failed=3)
    said = ended.stdout.str()
    for told in (
        "AssertionError: expected that it succeeds, but it has failed: ZeroDivisionError: ",
        "divide: failed",
        "| before",
        "| ----> 2 1 / (pd.steps.trigger.event.body['n'] - 3)",
        "expected that it succeeds, but it waits in step 'ask' (Well?) until ",
        "FileNotFoundError: there is no notebook none.ipynb in ",
    ):
        assert told in said
    assert "flownb/testing/" not in said


def test_the_plugin_is_light_where_it_is_not_used(project: pytest.Pytester) -> None:
    heavy = ["httpx", "jupyter_server", "sqlite_utils", "tornado", "flownb.testing.run"]
    project.makepyfile(f"import sys\n\ndef test_it():\n    assert not {{*{heavy}}} & {{*sys.modules}}")
    project.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_it_is_installed_as_a_plugin() -> None:
    made = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["entry-points"]
    assert made["pytest11"] == {"flownb": "flownb.testing.plugin"}
