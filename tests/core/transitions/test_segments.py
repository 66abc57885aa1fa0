"""Failures, retries, crashes, credits."""

from __future__ import annotations

import pytest

from flownb.core.durations import DAY, SECOND
from flownb.core.events import Admitted, Released, ServerLost, StepFailed
from flownb.core.model import Action, Error, Policy, Retry, Status, StepStatus
from tests.core.play import Play, delay, rerun, suspend

RESUME, CANCEL = Action.RESUME, Action.CANCEL
PLAIN = Policy()


def test_a_failure_skips_the_steps_after_it() -> None:
    play = Play(PLAIN, PLAIN, PLAIN)
    play.finish()
    play.fail("KeyError")
    assert (play.execution.status, play.execution.reason) == (Status.FAILED, "KeyError")
    statuses = [step.status for step in play.execution.steps]
    assert statuses == [StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.SKIPPED]


def test_a_retry_waits_longer_each_time_and_gives_up_in_the_end() -> None:
    play = Play(Policy(retry=Retry(max=3, first=SECOND, limit=3 * SECOND)))
    waits = []
    for _ in range(3):
        play.fail()
        assert play.execution.pause
        assert play.execution.pause.wakes_at
        waits.append(play.execution.pause.wakes_at - play.now)
        play.wait()
    assert (waits, play.step.attempt) == ([1_000, 2_000, 3_000], ("a", 1, 4))
    play.fail()
    assert play.execution.status is Status.FAILED


def test_a_constant_backoff_stays() -> None:
    assert [Retry(5, "constant", first=7).wait(attempt) for attempt in (1, 2, 50)] == [7, 7, 7]


def test_a_retry_keeps_what_the_run_was_given_and_each_attempt_has_its_own_links() -> None:
    play = Play(Policy(retry=Retry(1)))
    play.ask(RESUME, play.finish(rerun(context="passed on")), "called back")
    failed = play.fail()
    assert play.ask(RESUME, failed) == (410, "expired")
    play.wait()
    again = play.finish(suspend())
    assert (play.step.context, play.step.callback) == ("passed on", "called back")
    assert again == ("a", 2, 2)
    assert play.ask(RESUME, again) == (200, "resumed")


def test_the_wait_before_a_retry_can_be_cut_short_by_the_api() -> None:
    play = Play(Policy(retry=Retry(1)))
    play.fail()
    assert play.ask(RESUME) == (200, "resumed")
    assert play.step.attempts == 2


def test_a_final_failure_is_not_retried() -> None:
    play = Play(Policy(retry=Retry(3)))
    play.fail(final=True)
    assert play.execution.status is Status.FAILED


def test_a_kernel_that_never_came_is_a_failed_attempt() -> None:
    play = Play(Policy(retry=Retry(1)))
    never_came = StepFailed(Error("KernelDied", "no kernel"))
    play.happen(Admitted())
    play.happen(never_came)
    play.wait()
    play.happen(Admitted())
    play.happen(never_came)
    assert (play.execution.status, play.step.attempt) == (Status.FAILED, ("a", 1, 2))


def test_a_failure_may_give_the_execution_a_reason_of_its_own() -> None:
    play = Play(PLAIN)
    play.happen(Admitted())
    play.happen(StepFailed(Error("CheckpointMissing", "no file"), final=True, reason="checkpoint_missing"))
    assert play.execution.reason == "checkpoint_missing"
    assert play.step.error == Error("CheckpointMissing", "no file")


def test_a_lost_server_repeats_the_step_with_the_same_links() -> None:
    play = Play(PLAIN)
    attempt = play.begin()
    play.ask(RESUME, attempt, "early")
    play.happen(ServerLost())
    assert play.ask(CANCEL, attempt) == (409, "already_resumed")
    assert play.begin() == attempt
    play.finish(suspend())
    assert play.named("a").exports == {"$resume_data": "early"}
    assert play.execution.segments == 1


def test_the_third_loss_in_a_row_is_a_crash_loop() -> None:
    play = Play(PLAIN)
    play.lose(3)
    assert (play.execution.status, play.execution.reason) == (Status.FAILED, "CrashLoop")


def test_losses_are_counted_for_one_run_of_one_step() -> None:
    play = Play(PLAIN, PLAIN)
    for pauses in ([rerun()], [], []):
        play.lose(2)
        play.finish(*pauses)
        if pauses:
            play.wait()
    assert play.execution.status is Status.SUCCEEDED


def test_an_attempt_starts_with_no_losses() -> None:
    play = Play(Policy(retry=Retry(1)))
    play.lose(2)
    play.fail()
    play.wait()
    play.lose(2)
    play.finish()
    assert play.execution.status is Status.SUCCEEDED


def test_a_server_that_stops_in_order_counts_as_no_loss() -> None:
    play = Play(PLAIN)
    for _ in range(5):
        play.begin()
        play.happen(Released())
    play.finish()
    assert (play.execution.status, play.execution.segments) == (Status.SUCCEEDED, 1)


def test_a_step_that_was_not_sent_yet_is_given_back_though_it_is_marked_once() -> None:
    play = Play(PLAIN, Policy(once=True))
    play.finish()
    play.happen(Released(begun=False))
    play.finish()
    assert (play.execution.status, play.named("b").runs) == (Status.SUCCEEDED, 1)


def test_a_step_marked_once_is_never_repeated() -> None:
    play = Play(Policy(once=True), PLAIN)
    play.lose(1)
    assert (play.execution.status, play.execution.reason) == (Status.FAILED, "OnceInterrupted")


def test_an_execution_lost_before_its_step_began_is_queued_again() -> None:
    play = Play(Policy(once=True))
    play.happen(Admitted())
    play.happen(ServerLost())
    play.finish()
    assert play.execution.status is Status.SUCCEEDED


@pytest.mark.parametrize(("compute_ms", "credits"), [(0, 1), (1, 1), (30_000, 1), (30_001, 2), (60_001, 3)])
def test_a_segment_costs_one_credit_for_each_30_seconds_begun(compute_ms: int, credits: int) -> None:
    play = Play(PLAIN)
    play.finish(compute_ms=compute_ms)
    assert play.execution.credits == credits


def test_each_pause_starts_a_fresh_count_of_credits_and_its_time_is_free() -> None:
    play = Play(PLAIN, PLAIN, PLAIN)
    play.finish(compute_ms=20_000)
    play.finish(delay(7 * DAY), compute_ms=20_000)
    play.wait()
    play.finish(compute_ms=1)
    assert (play.execution.segments, play.execution.credits) == (2, 3)
    assert (play.execution.compute_ms, play.execution.suspended_ms) == (40_001, 7 * DAY)


def test_a_clock_that_goes_back_makes_no_negative_times() -> None:
    play = Play(PLAIN, PLAIN)
    attempt = play.finish(suspend())
    play.now -= DAY
    play.ask(RESUME, attempt)
    assert play.execution.suspended_ms == 0
