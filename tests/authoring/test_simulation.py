"""A workflow walked through in the notebook it is written in."""

from __future__ import annotations

import pytest

from tests.authoring.conftest import Author, Open
from tests.support.notebooks import cell, write

PAUSED = "paused here (simulated): choose below, then run the cells on"
ON = "%flownb simulate on"


def simulated(author: Open, *cells: str | dict[str, object]) -> Author:
    """A notebook of these cells with a simulation on."""
    opened = author(*cells)
    assert "simulating written.ipynb" in opened.ask(ON)
    return opened


def test_a_whole_workflow_is_walked_through(author: Open) -> None:
    notebook = simulated(
        author,
        cell("rows = [3, 1]; pd.export('count', len(rows)); {'sum': sum(rows)}", "load"),
        cell("pd.flow.suspend(reason='Is it right?')", "ask"),
        cell("[pd.steps.load['count'], pd.steps.load['sum'], pd.steps.ask.resume_data.body, pd.context.resume.body]"),
        cell(
            "if pd.context.run.runs < 3: pd.flow.rerun(5000, {'seen': pd.context.run.runs});\n"
            "[pd.context.run.runs, pd.context.run.context, pd.context.run.callback_request is None]",
            "poll",
        ),
        cell("def handler(x):\n    x.flow.delay(60_000)\n    return {'polls': 3}", "nap"),
        cell("pd.steps.nap.polls", "last"),
    )
    assert notebook.ask(0) == "{'sum': 4}"
    asked = notebook.run(1)
    assert asked.of_type("error") == [{"ename": "Paused", "evalue": PAUSED, "traceback": []}]
    assert asked.reply["status"] == "error"
    notebook.fill(asked, '{"approved": true}')
    assert "resumed: goes on; run the next cell" in notebook.click(asked, "Resume")
    assert notebook.ask(2) == "[2, 4, {'approved': True}, {'approved': True}]"
    polled = notebook.run(3)
    assert "[1, None, True]" in polled.text
    assert "fired: runs again, run 2; run its cell" in notebook.click(polled, "Timer fires")
    polled = notebook.run(3)
    assert "[2, {'seen': 1}, True]" in polled.text
    assert "resumed: runs again, run 3" in notebook.click(polled, "Resume")
    assert notebook.ask(3) == "[3, {'seen': 2}, False]"
    slept = notebook.run(4)
    assert "{'polls': 3}" in slept.text
    assert "timer of step 'nap' fired: goes on" in notebook.ask("%flownb tick")
    assert notebook.disabled(slept, "Resume")
    assert notebook.ask(5) == "3"
    assert "last: succeeded" in notebook.ask("%flownb simulate status")


def test_run_all_stops_at_a_pause(author: Open) -> None:
    notebook = simulated(author, cell("pd.flow.suspend();", "ask"), cell("print('never')"))
    client = notebook.kernel.client
    sent = [client.execute(one["source"]) for one in notebook.cells]
    assert notebook.replies(sent) == ["error", "aborted"]


def test_reruns_are_counted_to_their_limit(author: Open) -> None:
    notebook = simulated(author, cell("pd.flow.rerun(10, None, 1); print(pd.context.run.runs)", "poll"), "1 + 1")
    assert notebook.run(0).text.startswith("1\n")
    assert notebook.refused(1).startswith("Workflow execution paused (simulated) in step 'poll'")
    notebook.ask("%flownb tick 1s")
    assert notebook.refused(1) == "Workflow execution waits (simulated) for step 'poll' to run again: run its cell"
    assert notebook.ask(0).splitlines() == [
        "2",
        "simulated: step 'poll', run 2: the limit of 1 reruns is reached, going on",
    ]
    assert notebook.ask(1) == "2"


def test_a_cancel_ends_it_until_reset_or_a_step_back(author: Open) -> None:
    notebook = simulated(author, "x = 1", cell("pd.flow.suspend();", "ask"), "x")
    notebook.ask(0)
    asked = notebook.run(1)
    assert "cancelled: the workflow is cancelled" in notebook.click(asked, "Cancel")
    assert "this pause is over" in notebook.click(asked, "Resume")
    assert notebook.refused(2).startswith("Workflow execution canceled (simulated) in step 'ask', request: ")
    asked = notebook.run(1)
    notebook.click(asked, "Resume")
    assert notebook.ask(2) == "1"
    asked = notebook.run(1)
    notebook.click(asked, "Cancel")
    assert "simulating" in notebook.ask("%flownb simulate reset")
    assert notebook.ask(2) == "1"


def test_going_back_makes_later_steps_pending_and_keeps_earlier_exports(author: Open) -> None:
    notebook = simulated(
        author,
        cell("10", "first"),
        cell("pd.flow.suspend();", "ask"),
        cell("pd.steps.get('later'), pd.steps.first.return_value, pd.context.resume", "look"),
        cell("20", "later"),
    )
    notebook.ask(0)
    notebook.click(notebook.run(1), "Resume")
    notebook.ask(2)
    notebook.ask(3)
    waiting = notebook.run(1)
    assert "later: pending" in notebook.ask("%flownb simulate status")
    assert "ask: suspended (suspend · The workflow continues by itself on " in notebook.ask("%flownb simulate status")
    notebook.click(waiting, "Timer fires")
    assert notebook.ask(2) == "(None, 10, None)"


def test_exit_ends_it_there(author: Open) -> None:
    notebook = simulated(author, cell("pd.flow.exit('enough'); print('on')", "stop"), "1")
    ran = notebook.run(0)
    assert ran.of_type("error")[0]["evalue"] == "Workflow execution ended here (simulated): enough"
    assert notebook.refused(1).startswith("Workflow execution ended (simulated) by exit in step 'stop', enough: ")
    assert "stop: succeeded\n  step_2: skipped" in notebook.ask("%flownb simulate status")


@pytest.mark.parametrize(
    ("on_timeout", "said"),
    [
        ("resume", "timer of step 'ask' fired: goes on without an answer; run the next cell"),
        ("cancel", "timer of step 'ask' fired: the workflow is cancelled"),
        ("error", "timer of step 'ask' fired: the workflow fails (PauseTimeout)"),
    ],
)
def test_timeouts(author: Open, on_timeout: str, said: str) -> None:
    notebook = simulated(author, cell(f"pd.flow.suspend(3_600_000, on_timeout='{on_timeout}');", "ask"), "'next'")
    notebook.run(0)
    assert notebook.ask("%flownb tick 59m").startswith("step 'ask' goes on waiting; the clock says ")
    assert notebook.ask("%flownb tick 1m").startswith(said)
    assert notebook.ask("%flownb tick").startswith("nothing waits; the clock says ")
    if on_timeout == "resume":
        assert notebook.ask(1) == "'next'"
    else:
        assert notebook.refused(1).startswith(f"Workflow execution {'cancel' if on_timeout == 'cancel' else 'fail'}ed")


def test_a_form_is_checked_before_the_pause_ends(author: Open) -> None:
    form = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 9}}, "required": ["n"]}
    notebook = simulated(author, cell(f"pd.flow.suspend(form={form!r});", "ask"), "pd.steps.ask.resume_data.body")
    asked = notebook.run(0)
    assert "this does not fit" in notebook.click(asked, "Resume")
    assert "is required" in notebook.complaints(asked)
    for wrong, said in (("one", "whole number"), ("10", "must be at most 9")):
        notebook.fill(asked, wrong, "N *")
        assert "this does not fit" in notebook.click(asked, "Resume")
        assert said in notebook.complaints(asked)
    assert not notebook.disabled(asked, "Resume")
    notebook.fill(asked, "1", "N *")
    assert "resumed" in notebook.click(asked, "Resume")
    assert notebook.disabled(asked, "N *")
    assert notebook.ask(1) == "{'n': 1}"


def test_data_that_are_no_json_are_not_taken(author: Open) -> None:
    notebook = simulated(author, cell("pd.flow.suspend();", "ask"), "pd.steps.ask.resume_data.body")
    asked = notebook.run(0)
    notebook.fill(asked, "{n: 1}")
    assert "this is not JSON" in notebook.click(asked, "Resume")
    notebook.fill(asked, '["n"]')
    notebook.click(asked, "Resume")
    assert notebook.ask(1) == "['n']"


def test_a_raising_step_is_tried_again_as_its_policy_says(author: Open) -> None:
    source = "#| retry: 1\n#| step: fragile\nlast = pd.steps.fragile['$attempt']\n1 / 0 if last['count'] < 2 else last"
    notebook = simulated(author, source, "'next'")
    ran = notebook.run(0)
    assert [error["ename"] for error in ran.of_type("error")] == ["ZeroDivisionError"]
    assert "runs again" not in notebook.click(ran, "Timer fires")
    assert "'count': 2,\n 'last_error': {'ename': 'ZeroDivisionError'" in notebook.ask(0)
    assert notebook.ask(1) == "'next'"


def test_a_failure_ends_it_until_the_cell_is_put_right(author: Open) -> None:
    notebook = simulated(author, cell("1 / 0", "wrong"), "'next'")
    notebook.run(0)
    assert notebook.refused(1).startswith("Workflow execution failed (simulated) in step 'wrong', ZeroDivisionError")
    assert notebook.ask("'looking around'") == "'looking around'"
    notebook.run(0, "1 / 1")
    assert notebook.ask(1) == "'next'"


def test_cells_that_are_no_steps_run_at_any_time(author: Open) -> None:
    notebook = simulated(
        author,
        cell("import math", None, "setup"),
        cell("days = 1", None, "parameters"),
        cell("pd.flow.suspend()", "ask"),
        cell("[days, pd.context.test]", None, "skip"),
        cell("pd.flow.suspend()", None, "setup"),
    )
    notebook.ask('%flownb simulate on --data {"days": 7}')
    notebook.ask(0)
    notebook.ask(1)
    notebook.run(2)
    assert notebook.ask(3) == "[7, True]"
    assert notebook.ask("days") == "7"
    assert notebook.run(4).reply["evalue"] == "cell 'setup': setup cells may not call pd.flow"


def test_a_notebook_that_was_never_saved(author: Open) -> None:
    notebook = author()
    assert "save the notebook" in notebook.ask(ON)
    assert notebook.ask("40 + 2") == "42"
    asked = notebook.type("#| step: ask\npd.flow.suspend();")
    (error,) = notebook.type("'never'").of_type("error")
    assert "paused (simulated) in step 'ask'" in error["evalue"]
    notebook.click(asked, "Resume")
    assert notebook.ask("[pd.steps.step_1.return_value, 'resume_data' in dir(pd.steps.ask)]") == "[42, True]"


def test_a_cell_just_written_is_a_step_in_its_place(author: Open) -> None:
    notebook = simulated(author, cell("1", "one"), cell("pd.steps.new.return_value", "two"))
    notebook.ask(0)
    assert notebook.ask("#| step: new\n5") == "5"
    assert notebook.ask(1) == "5"


def test_what_a_front_end_runs_by_itself_is_no_step_and_runs_at_any_time(author: Open) -> None:
    notebook = simulated(author, cell("rows = 3", "load"), cell("pd.flow.suspend();", "ask"), "'next'")
    notebook.ask(0)
    assert notebook.type("pd.context.test, sorted(pd.steps), rows", store_history=False).text
    before = notebook.ask("%flownb simulate status")
    notebook.run(1)
    notebook.refused(2)
    assert notebook.type("rows = 4", store_history=False).reply["status"] == "ok"
    notebook.refused(2)
    assert notebook.type("rows += 1", silent=True, store_history=False).reply["status"] == "ok"
    assert [line.split(":")[0] for line in before.splitlines()[1:]] == ["  load", "  ask", "  step_3"]
    assert [line.split(":")[0] for line in notebook.ask("%flownb simulate status").splitlines()[1:]] == [
        "  load",
        "  ask",
        "  step_3",
    ]
    assert notebook.kernel.value("rows") == "5"


def test_a_notebook_that_can_be_no_workflow_says_why(author: Open) -> None:
    notebook = simulated(author, cell("1", "same"), cell("2", "same"))
    assert "the step name 'same' is taken by cell 1" in notebook.refused(0)


def test_without_a_simulation_all_is_as_before(author: Open) -> None:
    notebook = simulated(author, cell("pd.flow.suspend();", "ask"))
    asked = notebook.run(0)
    assert notebook.ask("%flownb simulate off") == "simulation is off"
    assert notebook.disabled(asked, "Resume")
    assert notebook.refused(0).startswith("Workflow execution canceled — this may be due to")
    assert notebook.type("").of_type("error") == []


OPENED = """from flownb.kernel.cells import opened
opened({}, {"run": {"runs": 1, "context": None}}, lambda data, replay: "")"""


def test_in_the_kernel_of_an_opened_execution_nothing_is_simulated(author: Open) -> None:
    notebook = author("1")
    notebook.ask(OPENED)
    (error,) = notebook.type(ON).of_type("error")
    assert error["evalue"].startswith("this kernel has an execution open: pd.continue_() lets it go on")


def test_what_pd_says_of_the_execution(author: Open) -> None:
    notebook = simulated(author, cell("pd.context.test, pd.context.trace_id[:9], pd.context.deployment_id != ''", "a"))
    assert notebook.ask(0) == "(True, 'simulated', True)"


def test_mail_is_named_and_not_sent(author: Open) -> None:
    notebook = simulated(author, cell("pd.send.email(subject='Done', text='It is.')", "tell"))
    assert notebook.ask(0) == "simulated: mail 'Done' to the owner"


def test_the_file_counts_once_it_is_saved_again(author: Open) -> None:
    notebook = simulated(author, cell("1", "one"))
    notebook.ask(0)
    write(notebook.file.parent, notebook.file.name, cell("1", "one"), cell("pd.steps.one.return_value", "added"))
    assert notebook.ask("pd.steps.one.return_value") == "1"
    assert "added: succeeded" in notebook.ask("%flownb simulate status")


def test_inputs_are_those_of_the_file_and_a_secret_that_is_missing_is_said(author: Open) -> None:
    notebook = author("[pd.inputs.days, pd.inputs.seen.incr('n'), len(pd.inputs.key), repr(pd.inputs)]", "1")
    given = {"days": 3, "seen": {"data_store": "seen"}, "key": {"secret": "KEY"}}
    write(notebook.file.parent, notebook.file.name, *notebook.cells, flownb={"inputs": given})
    assert "metadata.flownb.inputs" in notebook.type("pd.inputs.days").of_type("error")[0]["evalue"]
    notebook.ask(ON)
    said = "there is no secret 'KEY' here: set FLOWNB_SECRET_KEY in this kernel's environment"
    assert notebook.refused(0) == said
    notebook.type("%env FLOWNB_SECRET_KEY=four")
    told = notebook.ask(0)
    assert "data stores are empty and in memory" in told
    assert told.endswith("[3, 1, 4, \"{'days': 3, 'seen': pd.data_store('seen'), 'key': '…'}\"]")
