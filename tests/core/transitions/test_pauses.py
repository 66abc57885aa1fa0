"""Pauses, from what a step asks for to what ends them."""

from __future__ import annotations

import pytest

from flownb.core.durations import DAY, SECOND
from flownb.core.events import ExitCall, PauseCall, TimerFired
from flownb.core.model import Action, PauseKind, Policy, Retry, Status, StepStatus
from flownb.core.transitions import NotNow
from tests.core.play import START, Play, delay, rerun, suspend

RESUME = Action.RESUME
PLAIN = Policy()


def test_polling_as_the_seed_does_it() -> None:
    """Runs 1 to 3 ask for another run, the fourth returns."""
    play = Play(PLAIN, PLAIN)
    for runs in (1, 2, 3):
        play.finish(rerun(3, {"polled": runs}))
        assert (play.step.runs, play.execution.status) == (runs, Status.SUSPENDED)
        play.wait()
        assert play.step.context == {"polled": runs}
    play.finish(exports={"$return_value": "DONE"})
    play.finish()
    assert play.named("a").runs == 4
    assert play.named("a").exports == {"$return_value": "DONE"}
    assert (play.execution.status, play.execution.segments, play.execution.warnings) == (Status.SUCCEEDED, 4, ())


def test_a_step_that_always_reruns_has_eleven_runs_and_the_workflow_proceeds() -> None:
    play = Play(PLAIN, PLAIN)
    for _ in range(10):
        play.finish(rerun())
        play.wait()
    last = play.finish(rerun())
    assert (play.named("a").runs, play.named("a").status) == (11, StepStatus.SUCCEEDED)
    assert (play.step.name, play.step.status) == ("b", StepStatus.RUNNING)
    assert play.execution.warnings == ("step 'a', run 11: the limit of 10 reruns is reached, going on",)
    assert play.ask(RESUME, last) == (410, "expired")


def test_a_request_to_a_rerun_is_its_callback_and_a_timer_brings_none() -> None:
    play = Play(PLAIN)
    first = play.finish(rerun(context=1))
    assert play.ask(RESUME, first, {"body": "done"}) == (200, "resumed")
    assert (play.step.runs, play.step.callback, play.execution.resume) == (2, {"body": "done"}, {"body": "done"})
    play.finish(rerun(context=2))
    play.wait()
    assert (play.step.runs, play.step.callback, play.execution.resume) == (3, None, None)


def test_each_run_starts_without_exports() -> None:
    play = Play(PLAIN)
    play.finish(rerun(), exports={"x": 1})
    assert play.step.exports == {"x": 1}
    play.wait()
    assert play.step.exports == {}


@pytest.mark.parametrize("pause", [suspend(), delay()], ids=["suspend", "delay"])
def test_a_request_ends_a_pause_and_its_data_is_exported(pause: PauseCall) -> None:
    play = Play(PLAIN, PLAIN)
    attempt = play.finish(pause, exports={"x": 1})
    play.ask(RESUME, attempt, {"body": "yes"})
    assert play.named("a").exports == {"x": 1, "$resume_data": {"body": "yes"}}
    assert (play.execution.status, play.step.name) == (Status.QUEUED, "b")


def test_a_timeout_goes_on_without_data() -> None:
    play = Play(PLAIN, PLAIN)
    attempt = play.finish(suspend(DAY))
    play.wait()
    assert play.now == START + DAY
    assert play.named("a").exports == {}
    assert play.execution.suspended_ms == DAY
    assert play.ask(RESUME, attempt) == (410, "expired")


def test_a_timeout_can_cancel() -> None:
    play = Play(PLAIN, PLAIN)
    play.finish(suspend(on_timeout="cancel"))
    play.wait()
    assert (play.execution.status, play.execution.reason) == (Status.CANCELLED, "timeout")
    assert [step.status for step in play.execution.steps] == [StepStatus.CANCELLED, StepStatus.SKIPPED]


def test_a_timeout_can_fail_and_is_not_retried() -> None:
    play = Play(Policy(retry=Retry(3)), PLAIN)
    play.finish(suspend(on_timeout="error"))
    play.wait()
    assert (play.execution.status, play.execution.reason) == (Status.FAILED, "PauseTimeout")
    assert [step.status for step in play.execution.steps] == [StepStatus.FAILED, StepStatus.SKIPPED]


def test_a_timer_is_refused_before_its_time_and_a_second_time() -> None:
    play = Play(PLAIN, PLAIN)
    play.finish(delay(10 * SECOND))
    play.now += 10 * SECOND - 1
    with pytest.raises(NotNow, match="not due"):
        play.happen(TimerFired())
    play.now += 1
    play.happen(TimerFired())
    with pytest.raises(NotNow):
        play.happen(TimerFired())


def test_a_timer_that_fell_due_while_the_server_was_down_still_fires() -> None:
    play = Play(PLAIN)
    play.finish(delay(SECOND))
    play.now += 100 * DAY
    play.happen(TimerFired())
    assert play.execution.status is Status.SUCCEEDED


def test_the_last_of_several_pauses_wins_with_a_warning() -> None:
    play = Play(PLAIN)
    play.finish(suspend(), delay(), rerun(context="last"))
    assert play.execution.pause
    assert (play.execution.pause.kind, play.execution.pause.context) == (PauseKind.RERUN, "last")
    assert play.execution.warnings == ("step 'a' asked for 3 pauses: the last one (rerun) is taken",)


def test_a_rerun_at_its_limit_leaves_an_earlier_pause_standing() -> None:
    play = Play(PLAIN)
    play.finish(suspend(), rerun(max_retries=0))
    assert play.execution.pause
    assert play.execution.pause.kind is PauseKind.SUSPEND


def test_exit_wins_over_a_pause() -> None:
    play = Play(PLAIN, PLAIN)
    attempt = play.finish(suspend(), exit=ExitCall("nothing to do"), exports={"x": 1})
    assert (play.execution.status, play.execution.reason) == (Status.SUCCEEDED, "nothing to do")
    assert [step.status for step in play.execution.steps] == [StepStatus.SUCCEEDED, StepStatus.SKIPPED]
    assert play.execution.warnings == ("step 'a' asked for a pause and for an exit: the exit wins",)
    assert play.ask(RESUME, attempt) == (410, "expired")


def test_a_form_that_nothing_can_fill_is_told_at_once() -> None:
    play = Play(PLAIN)
    asked = play.finish(suspend(form={"type": "objekt"}))
    (warning,) = play.execution.warnings
    assert "the form is no usable JSON Schema (type: 'objekt' is not valid" in warning
    assert play.ask(RESUME, asked, {"body": {}})[0] == 422
