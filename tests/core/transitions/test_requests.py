"""What somebody who asks to resume or cancel is told, by a link and by the API."""

from __future__ import annotations

import pytest

from flownb.core.durations import DAY, LONGEST, SECOND
from flownb.core.events import Admitted, ExitCall, PauseAsked, PauseCall, ReminderDue, RequestArrived, StepFinished
from flownb.core.model import (
    Action,
    Alternative,
    Approvals,
    Awaited,
    EndedBy,
    PauseKind,
    Policy,
    Signature,
    Status,
    StepStatus,
)
from flownb.core.transitions import NotNow, due_at
from flownb.core.transitions.requests import MOST_EARLY
from tests.core.play import ANA, SAVED, START, Play, rerun, suspend

RESUME, CANCEL = Action.RESUME, Action.CANCEL
PLAIN = Policy()


@pytest.mark.parametrize(
    ("first", "second", "answer"),
    [
        (RESUME, RESUME, (200, "already_resumed")),
        (RESUME, CANCEL, (409, "already_resumed")),
        (CANCEL, CANCEL, (200, "already_cancelled")),
        (CANCEL, RESUME, (409, "already_cancelled")),
    ],
)
def test_a_decision_stands_also_after_the_end(first: Action, second: Action, answer: tuple[int, str]) -> None:
    play = Play(PLAIN)
    attempt = play.finish(suspend())
    assert play.ask(first, attempt) == (200, "resumed" if first is RESUME else "cancelled")
    assert play.execution.status.final
    assert play.ask(second, attempt) == answer


def test_an_early_resume_is_kept_and_takes_effect_at_the_end_of_the_step() -> None:
    play = Play(PLAIN, PLAIN)
    attempt = play.begin()
    assert play.ask(RESUME, attempt, "first") == (202, "accepted")
    assert play.ask(RESUME, attempt, "second") == (202, "accepted")
    assert play.ask(CANCEL, attempt) == (409, "already_resumed")
    play.finish(suspend())
    assert play.named("a").exports == {"$resume_data": "first"}
    assert play.ask(RESUME, attempt) == (200, "already_resumed")


def test_who_decides_as_somebody_has_before_the_steps_end_sees_who() -> None:
    play = Play(PLAIN, PLAIN)
    attempt = play.begin()
    play.ask(RESUME, attempt)
    again = play.happen(RequestArrived(RESUME, None, attempt))
    assert again
    assert (again.status, again.at, again.by) == ("accepted", START, ANA.name)


def test_an_early_cancel_lets_the_step_end_first() -> None:
    play = Play(PLAIN, PLAIN)
    attempt = play.begin()
    assert play.ask(CANCEL, attempt) == (202, "accepted")
    assert play.execution.status is Status.RUNNING
    play.finish(suspend(), exports={"x": 1})
    assert (play.execution.status, play.named("a").exports) == (Status.CANCELLED, {"x": 1})


@pytest.mark.parametrize("end", ["raises", "exits", "asks for no pause", "is at its limit"])
def test_an_early_request_is_void_where_no_pause_comes(end: str) -> None:
    play = Play(PLAIN, PLAIN)
    attempt = play.begin()
    play.ask(RESUME, attempt)
    if end == "raises":
        play.fail()
    else:
        pauses = [rerun(max_retries=0)] if end == "is at its limit" else []
        play.finish(*pauses, exit=ExitCall() if end == "exits" else None)
    assert play.pauses[attempt, False].ended_by is EndedBy.VOID
    assert play.ask(RESUME, attempt) == (410, "expired")


def test_links_of_an_earlier_run_are_about_that_run() -> None:
    play = Play(PLAIN)
    first = play.finish(rerun())
    play.wait()
    second = play.finish(rerun())
    assert play.ask(CANCEL, first) == (410, "expired")
    assert play.ask(RESUME, second) == (200, "resumed")


def test_answers_say_when_it_was_decided() -> None:
    play = Play(PLAIN, PLAIN)
    attempt = play.finish(suspend())
    play.now += 5
    play.ask(RESUME, attempt)
    play.now += 5
    play.ask(CANCEL, attempt)
    answer = play.journal[-1].outcome.answer
    assert answer
    assert answer.at == START + 5


def test_the_api_resumes_what_is_suspended() -> None:
    play = Play(PLAIN, PLAIN)
    attempt = play.finish(suspend())
    assert play.ask(RESUME, request={"body": 1}) == (200, "resumed")
    assert play.ask(RESUME) == (200, "already_resumed")
    assert play.ask(RESUME, attempt) == (200, "already_resumed")


def test_the_api_can_be_early_only_where_a_pause_was_asked_for() -> None:
    play = Play(PLAIN, PLAIN)
    assert play.ask(RESUME) == (409, "not_suspended")
    play.happen(Admitted())
    assert play.ask(RESUME) == (409, "not_suspended")
    attempt = play.begin()
    assert play.ask(RESUME) == (202, "accepted")
    assert play.ask(CANCEL, attempt) == (409, "already_resumed")


def test_the_api_says_what_ended_the_pause_of_an_execution_that_waits_for_a_slot() -> None:
    play = Play(PLAIN, PLAIN)
    play.finish(suspend())
    play.wait()
    assert play.ask(RESUME) == (410, "expired")


def test_the_api_cancels_at_any_time_and_the_final_answers_last() -> None:
    play = Play(PLAIN, PLAIN)
    attempt = play.begin()
    play.ask(RESUME, attempt)
    assert play.ask(CANCEL) == (200, "cancelled")
    assert [step.status for step in play.execution.steps] == [StepStatus.CANCELLED, StepStatus.SKIPPED]
    assert play.ask(CANCEL) == (200, "already_cancelled")
    assert play.ask(RESUME) == (410, "expired")
    assert play.ask(RESUME, attempt) == (410, "expired")
    with pytest.raises(NotNow):
        play.happen(StepFinished({}, SAVED, 1))


def test_a_queued_execution_is_cancelled_before_any_step_began() -> None:
    play = Play(PLAIN)
    assert play.ask(CANCEL) == (200, "cancelled")
    assert (play.step.status, play.execution.credits) == (StepStatus.SKIPPED, 0)


def test_the_api_answers_410_for_what_succeeded() -> None:
    play = Play(PLAIN)
    play.finish()
    assert play.ask(CANCEL) == (410, "expired")
    assert play.ask(RESUME) == (410, "expired")


FORM = {"type": "object", "required": ["amount"], "properties": {"amount": {"type": "number"}}}
TWO = (Alternative("form", Awaited.FORM, form=FORM), Alternative("plain", Awaited.REQUEST))


def test_data_that_does_not_fit_the_form_uses_nothing_up() -> None:
    play = Play(PLAIN, PLAIN)
    attempt = play.finish(suspend(form=FORM))
    assert play.ask(RESUME, attempt, {"body": {"amount": "much"}}) == (422, "invalid")
    answer = play.journal[-1].outcome.answer
    assert answer
    assert answer.errors == {"amount": "must be a number"}
    assert play.ask(RESUME, attempt, {"body": {"amount": 7}}) == (200, "resumed")


def test_a_cancel_needs_no_form_to_be_filled() -> None:
    play = Play(PLAIN)
    attempt = play.finish(suspend(form=FORM))
    assert play.ask(CANCEL, attempt, {"body": None}) == (200, "cancelled")


def test_an_early_request_that_does_not_fit_the_form_leaves_the_pause_open_with_a_warning() -> None:
    play = Play(PLAIN, PLAIN)
    attempt = play.begin()
    assert play.ask(RESUME, attempt, {"body": {}}) == (202, "accepted")
    play.happen(StepFinished({}, SAVED, 1, (suspend(form=FORM),)))
    assert play.execution.status is Status.SUSPENDED
    assert "amount: is required" in play.execution.warnings[0]


@pytest.mark.parametrize(
    ("announced", "first", "dropped"),
    [(0, (422, "invalid"), 0), (1, (202, "accepted"), 1), (2, (202, "accepted"), 1), (None, (202, "accepted"), 1)],
)
@pytest.mark.parametrize("call", [suspend(form=FORM), PauseCall(PauseKind.WAIT, DAY, alternatives=TWO)])
def test_the_first_that_fits_stands_whenever_it_becomes_known_what_the_step_asks_for(
    call: PauseCall, announced: int | None, first: tuple[int, str], dropped: int
) -> None:
    play = Play(PLAIN, PLAIN)
    attempt, answers = play.start(), []
    for place, amount in enumerate(("much", 7, 8)):
        if place == announced:
            play.happen(PauseAsked(form=call.form, alternatives=call.alternatives))
        branch = "form" if call.alternatives else None
        answers.append(play.ask(RESUME, attempt, {"body": {"amount": amount}}, branch=branch))
    assert answers == [first, (202, "accepted"), (202, "accepted")]
    play.happen(StepFinished({}, SAVED, 1, (call,)))
    assert play.named("a").exports["$resume_data"]["body"] == {"amount": 7}
    assert len(play.execution.warnings) == dropped
    assert play.ask(RESUME, attempt, branch="form" if call.alternatives else None) == (200, "already_resumed")


def test_approvals_that_came_before_it_was_known_who_is_asked_are_counted() -> None:
    play = Play(PLAIN, PLAIN)
    attempt = play.start()
    two = Approvals(needed=2, approvers=("ann", "bob"))
    for who, amount in (("ann", "much"), ("eve", 1), ("ann", 2), ("ann", 3), ("bob", 4)):
        request = {"body": {"amount": amount}}
        assert play.ask(RESUME, attempt, request, Signature(login=who)) == (202, "accepted")
    play.happen(PauseAsked(form=FORM, approvals=two))
    assert [said.split("(")[1].split(")")[0] for said in play.execution.warnings] == [
        "amount: must be a number",
        "not_approver",
    ]
    play.happen(StepFinished({}, SAVED, 1, (suspend(form=FORM, approvals=two),)))
    approvals = play.named("a").exports["$resume_data"]["approvals"]
    assert [(one["user"], one["body"]["amount"]) for one in approvals] == [("ann", 2), ("bob", 4)]


def test_only_so_many_are_kept_before_it_is_known_what_the_step_asks_for() -> None:
    play = Play(PLAIN, PLAIN)
    attempt = play.start()
    answers = {play.ask(RESUME, attempt, place) for place in range(1 + MOST_EARLY)}
    assert answers == {(202, "accepted")}
    assert play.ask(RESUME, attempt) == (409, "not_suspended")
    play.finish(suspend())
    assert play.named("a").exports == {"$resume_data": 0}


def test_a_decision_says_whose_it_was_and_so_does_the_answer_to_the_next() -> None:
    play = Play(PLAIN, PLAIN)
    attempt = play.finish(suspend())
    play.ask(RESUME, attempt)
    assert play.execution.resumed_by == ANA
    pause = play.pauses[attempt, False]
    assert pause.decision
    assert pause.decision.signature == ANA
    said = play.happen(RequestArrived(CANCEL, None, attempt, pause))
    assert said
    assert (said.status, said.by) == ("already_resumed", "Ana")


def test_nobody_has_resumed_what_a_timer_ended() -> None:
    play = Play(PLAIN, PLAIN, PLAIN)
    play.ask(RESUME, play.finish(suspend()))
    play.finish(suspend())
    play.wait()
    assert play.execution.resumed_by is None


def test_a_deadline_is_put_off_and_never_brought_forward() -> None:
    play = Play(PLAIN, PLAIN)
    attempt = play.finish(suspend(10 * SECOND))
    first = play.now + 10 * SECOND
    assert play.postpone(first + 5, attempt) == (200, "postponed")
    assert play.postpone(first + 5, attempt) == (200, "postponed")
    assert play.postpone(first, attempt) == (200, "postponed")
    assert play.execution.pause
    assert play.execution.pause.wakes_at == first + 5
    play.wait()
    assert play.postpone(first + 6, attempt) == (410, "expired")


def test_what_has_no_deadline_that_people_wait_for_is_not_put_off() -> None:
    play = Play(PLAIN, PLAIN, PLAIN)
    assert play.postpone(play.now + 5) == (409, "not_suspended")
    assert play.postpone(play.now + 5, play.begin()) == (409, "not_suspended")
    again = play.finish(rerun())
    assert play.postpone(play.now + 5, again) == (409, "no_deadline")
    play.ask(RESUME, again)
    assert play.postpone(play.now + 5, again) == (200, "already_resumed")
    play.finish(suspend())
    assert play.postpone(play.now + LONGEST + 1) == (422, "invalid")


def test_people_are_reminded_until_the_pause_ends() -> None:
    play = Play(PLAIN, PLAIN)
    play.finish(suspend(10 * SECOND, remind_every=3 * SECOND))
    began = play.now
    for due in (3, 6, 9):
        assert due_at(play.execution) == began + due * SECOND
        play.now = began + due * SECOND
        play.happen(ReminderDue())
    assert due_at(play.execution) == began + 10 * SECOND
    play.wait()


def test_reminders_that_no_server_was_there_for_are_one() -> None:
    play = Play(PLAIN, PLAIN)
    play.finish(suspend(100 * SECOND, remind_every=3 * SECOND))
    began = play.now
    play.now += 10 * SECOND
    play.happen(ReminderDue())
    assert due_at(play.execution) == began + 12 * SECOND
    with pytest.raises(NotNow):
        play.happen(ReminderDue())
