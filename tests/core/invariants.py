"""What always holds, whatever happened: section 8 of the contract, and the tables that it rests on.

Each function takes the journal of one execution, without gaps and from its creation, and raises ``AssertionError``
where the record breaks the rule. They know nothing of how the rules are written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from flownb.core.events import (
    Admitted,
    Arrived,
    Continued,
    EscalationDue,
    Happened,
    Migrated,
    Moved,
    PauseAsked,
    PauseCall,
    Released,
    ReminderDue,
    RequestArrived,
    Responded,
    ServerLost,
    StepFailed,
    StepFinished,
    TimerFired,
)
from flownb.core.forms import unusable
from flownb.core.model import (
    Action,
    Attempt,
    Awaited,
    Decision,
    EndedBy,
    Pause,
    PauseKind,
    Response,
    Status,
    Step,
    StepStatus,
)
from flownb.core.payload import arrived
from flownb.core.usage import spent
from tests.core.answers import answers_obey_the_table, fills
from tests.core.journal import (
    Journal,
    Key,
    Move,
    dropped,
    form_of,
    kept,
    key,
    present,
    record,
    request_of,
    said_with,
    written,
)

ENDS = {
    Awaited.REQUEST: EndedBy.RESUME,
    Awaited.FORM: EndedBy.RESUME,
    Awaited.TIMER: EndedBy.TIMER,
    Awaited.EVENT: EndedBy.EVENT,
    Awaited.WORKFLOW: EndedBy.WORKFLOW,
}
"""What a wait was ended by where an alternative of that kind was the first."""

ENDED = (StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.SKIPPED, StepStatus.CANCELLED)

TOO_LATE = "the first one stands"
"""What the record says of an answer that came after another."""


# 1


def finished_steps_never_start_again(journal: Journal) -> None:
    skipped = _skipped_by_a_replay(journal)
    for move in journal:
        for before, after in move.steps:
            if before.status in ENDED:
                assert replace(after, cell_id=before.cell_id) == before  # a version may have the cell under another id
        place = move.after.at
        assert move.before.at <= place
        assert all(step.status is StepStatus.SUCCEEDED or step.name in skipped for step in move.after.steps[:place])
        assert all(step.status in (StepStatus.PENDING, StepStatus.SKIPPED) for step in move.after.steps[place + 1 :])


def _skipped_by_a_replay(journal: Journal) -> list[str]:
    """The names of the steps that a replay begins behind and of which nothing is recorded."""
    begun = journal[0].before if journal else None
    return [step.name for step in begun.steps[: begun.at] if step.status is StepStatus.SKIPPED] if begun else []


def a_migration_changes_only_what_is_to_come(journal: Journal) -> None:
    """What was run is known by its names; the pause, its time and its links stay, and only a pause can be left so."""
    for move in journal:
        if not isinstance(move.event, Migrated):
            assert move.after.version == move.before.version
            assert [step.name for step in move.after.steps] == [step.name for step in move.before.steps]
            continue
        before, after, answer = move.before, move.after, move.outcome.answer
        assert answer
        begun = before.at + 1
        waits = before.pause is not None and before.pause.live and before.pause.of == move.event.of
        same = [step.name for step in before.steps[:begun]] == [step.name for step in move.event.steps[:begun]]
        if not waits or not same or before.version == move.event.version:
            assert after == before
            assert (answer.code == 200) is (waits and before.version == move.event.version)
            continue
        assert answer.code == 200
        assert after.version == move.event.version
        assert all(was == replace(now, cell_id=was.cell_id) for was, now in move.steps)
        assert [step.cell_id for step in after.steps] == [step.cell_id for step in move.event.steps]
        assert after.steps[begun:] == move.event.steps[begun:]
        back = replace(after, version=before.version, steps=before.steps, warnings=before.warnings)
        assert back == kept(before)


# 2


def pauses_end_once(journal: Journal) -> None:
    known: dict[Key, Pause] = {}
    for move in journal:
        for pause in written(move.after):
            earlier = known.get(key(pause))
            if earlier and earlier.ended_by:
                assert pause == earlier
            if earlier and earlier.decision:
                others = [*earlier.early, None] if dropped(move) or _counted(pause, earlier.decision) else []
                assert any(_same(pause.decision, one) for one in (earlier.decision, *others))
            elif pause.decision:
                assert any(_same(pause.decision, one) for one in _decisions(move, earlier))
            if pause.ended_by in (EndedBy.RESUME, EndedBy.CANCEL):
                assert pause.decision
                assert pause.decision.action == pause.ended_by.value
            if pause.alternatives and pause.decision and pause.decision.action is Action.RESUME:
                won = [one for one in pause.alternatives if one.name == pause.decision.which]
                assert pause.ended_by in (None, EndedBy.VOID, *(ENDS[one.kind] for one in won))
            elif pause.ended_by is EndedBy.TIMER:
                assert pause.decision is None
            assert (pause.ended_by is None) is (pause.ended_at is None)
            known[key(pause)] = pause
        assert move.after.pause == (list(known.values())[-1] if known else None)


def _same(one: Decision | None, other: Decision | None) -> bool:
    """Whether it is one decision; before its pause is known, nobody may know for which alternative it is."""
    return one == other or bool(one and other and not other.which and replace(one, which=None) == other)


def _counted(pause: Pause, early: Decision) -> bool:
    """Whether a decision of before it was known who is asked has turned out to be one of several approvals."""
    return pause.approvals is not None and any(_same(one, early) for one in pause.approvals.given)


def _decisions(move: Move, earlier: Pause | None) -> list[Decision]:
    """Those that may end a pause with a move."""
    request, event = request_of(move.event), move.event
    found = list(earlier.approvals.given) if earlier and earlier.approvals else []
    if request:
        found.append(Decision(request.action, move.now, request.request, request.signature, None))
        names = {request.branch, request.which, request.signature.login}
        found += [replace(found[-1], which=name) for name in names]
    elif isinstance(event, Happened):
        found.append(Decision(Action.RESUME, move.now, event.request, which=event.which))
    elif isinstance(event, TimerFired) and earlier:
        due = [one for one in earlier.alternatives if earlier.since + (one.after_ms or 0) == earlier.wakes_at]
        found += [Decision(Action.RESUME, move.now, arrived(None, move.now), which=one.name) for one in due]
    return found


def of_what_came_early_the_first_that_fits_stands(journal: Journal) -> None:
    """As soon as a step says what it asks for; where it asks several people, they are counted instead."""
    for move in journal:
        before, after = move.before.pause, move.after.pause
        if not isinstance(move.event, PauseAsked) or move.event.approvals or present(move.before).asked:
            continue
        assert after
        assert not after.early
        if before and before.decision and before.ended_by is None:
            fitting = [one for one in (before.decision, *before.early) if _suits(after, one)]
            assert _same(after.decision, fitting[0] if fitting else None)


def _suits(pause: Pause, decision: Decision) -> bool:
    """Whether an early decision is for something that people may decide for, and fills its form."""
    choices = [one.name for one in pause.alternatives if one.for_people]
    which = decision.which or (choices[0] if len(choices) == 1 else None)
    if decision.action is Action.CANCEL:
        return True
    return (not pause.alternatives or which in choices) and fills(form_of(pause, which), decision.request)


def an_approval_counts_once_and_only_of_those_who_are_asked(journal: Journal) -> None:
    """The last one that is needed ends the pause, with all on record in their order; none is lost but aloud."""
    for move in journal:
        before, after = move.before.pause, move.after.pause
        if not after or not after.approvals:
            continue
        given = [one.which for one in after.approvals.given]
        assert len(set(given)) == len(given) <= after.approvals.needed
        assert None not in given
        asked = {*after.approvals.approvers, *(after.approvals.escalate_to if after.approvals.escalated else ())}
        if after.approvals.approvers:
            assert set(given) <= asked
        if after.approvals.not_self:
            assert move.after.trigger.get("login") not in given
        if after.ended_by is EndedBy.RESUME:
            assert len(given) == after.approvals.needed
            assert after.approvals.given[-1] == after.decision
        elif after.live:
            assert len(given) < after.approvals.needed
        if (
            before
            and before.of == after.of
            and before.approvals
            and not isinstance(move.event, StepFinished | PauseAsked)
        ):
            assert after.approvals.given[: len(before.approvals.given)] == before.approvals.given


def escalations_come_once(journal: Journal) -> None:
    for move in journal:
        if isinstance(move.event, EscalationDue):
            before, after = move.before.pause, move.after.pause
            assert before
            assert after
            assert before.approvals
            assert not before.approvals.escalated
            assert move.now >= before.since + (before.approvals.escalate_after or 0)
            escalated = replace(before, approvals=replace(before.approvals, escalated=True))
            assert move.after == replace(move.before, pause=escalated)


def accepted_requests_are_never_lost(journal: Journal) -> None:
    """Each 2xx is there for good: as the decision of its pause, which takes effect, is void, or was dropped aloud.

    A request that came early may stand behind another one, of which nobody knew yet whether it fits.
    """
    pauses = record(journal)
    for move in journal:
        event, answer = request_of(move.event), move.outcome.answer
        if event is None or not answer or answer.code >= 300:
            continue
        if event.attempt is None and move.after.status is Status.CANCELLED:
            assert journal[-1].after.status is Status.CANCELLED
            continue
        if isinstance(move.event, Continued) and answer.status != "resumed":
            continue  # it came too late, which is all that the answer says
        pause = pauses[_asked_about(move)]
        if answer.status in ("approved", "already_approved"):
            given = move.after.pause.approvals.given if move.after.pause and move.after.pause.approvals else ()
            assert answer.at in [one.at for one in given]
            continue
        if any(dropped(later) and later.after.pause and key(later.after.pause) == key(pause) for later in journal):
            continue
        if answer.status == "accepted" and pause.approvals and answer.at in [one.at for one in pause.approvals.given]:
            continue
        assert pause.decision
        assert pause.decision.action is event.action
        assert pause.decision.at == answer.at
        if answer.status == "accepted":
            assert pause.ended_by in (None, EndedBy.VOID, EndedBy(event.action))
        else:
            assert pause.ended_by is EndedBy(event.action)


def _asked_about(move: Move) -> Key:
    """By a link its own pause, by the API the one that the execution waits in, was just woken from or may yet have."""
    pause = move.before.pause
    if isinstance(move.event, Continued):
        assert pause
        return key(pause)
    assert isinstance(move.event, RequestArrived)
    woken = move.before.status is Status.QUEUED and move.before.fresh
    if move.event.attempt is None and pause and (pause.live or woken):
        return key(pause)
    return move.event.attempt or present(move.before).attempt, False


def decisions_take_effect(journal: Journal) -> None:
    """A resume goes on with what was sent, a cancel ends the execution, a timer brings nothing."""
    for move in journal:
        pause = move.after.pause
        if not pause or pause.ended_by is None or pause == move.before.pause:
            continue
        step = move.after.steps[move.before.at]
        request, decision = said_with(pause), pause.decision
        failed = isinstance(move.event, Happened) and _fails(pause, move.event)
        on_time = pause.ended_by is EndedBy.TIMER and (decision or pause.on_timeout == "resume")
        happened = pause.ended_by in (EndedBy.EVENT, EndedBy.WORKFLOW) and not failed
        if pause.ended_by is EndedBy.RESUME or on_time or happened:
            if pause.ended_by is EndedBy.RESUME:
                assert decision
                assert fills(form_of(pause, decision.which), decision.request)
            # A step does not know that it is tried again: another attempt is given what the first was.
            assert move.after.resume == (move.before.resume if pause.kind is PauseKind.RETRY else request)
            assert move.after.status in (Status.QUEUED, Status.SUCCEEDED)
            sent = pause.kind in (PauseKind.SUSPEND, PauseKind.DELAY, PauseKind.WAIT) and decision is not None
            assert ("$resume_data" in step.exports) is sent
            assert step.exports.get("$resume_data") == (request if sent else None)
        elif pause.ended_by is EndedBy.VOID:
            assert pause.kind is None
            assert step.status is not StepStatus.SUSPENDED
        elif failed:
            assert isinstance(move.event, Happened)
            assert move.after.error == move.event.error
            assert move.after.status is Status.FAILED
        elif pause.on_timeout == "error" and pause.ended_by is EndedBy.TIMER:
            assert (move.after.status, move.after.reason) == (Status.FAILED, "PauseTimeout")
        else:
            reasons = {EndedBy.CANCEL: "request", EndedBy.MOVED: "moved"}
            why = reasons.get(pause.ended_by, "timeout") if pause.ended_by else "timeout"
            assert (move.after.status, move.after.reason) == (Status.CANCELLED, why)


def _fails(pause: Pause, event: Happened) -> bool:
    """Whether the end of another workflow fails the step that waits for it."""
    strict = [one for one in pause.alternatives if one.name == event.which and one.on_failure == "raise"]
    return event.error is not None and (event.fatal or bool(strict))


# 3


def the_suspended_wait_in_one_pause(journal: Journal) -> None:
    known: dict[Key, Pause] = {}
    for move in journal:
        known |= {key(pause): pause for pause in written(move.after)}
        live = [pause for pause in known.values() if pause.live]
        assert len(live) == (move.after.status is Status.SUSPENDED)
        for pause in live:
            step = present(move.after)
            assert pause == move.after.pause
            assert pause.of == step.attempt
            assert pause.wakes_at is not None
            assert step.status is StepStatus.SUSPENDED


def timers_are_never_early(journal: Journal) -> None:
    for move in journal:
        if isinstance(move.event, TimerFired):
            pause = move.before.pause
            assert pause
            assert pause.live
            assert pause.wakes_at is not None
            assert move.now >= pause.wakes_at


def reminders_come_between_the_beginning_and_the_end_of_a_pause(journal: Journal) -> None:
    """At a multiple of their interval, not early, once however many have been missed; they change nothing else."""
    for move in journal:
        if not isinstance(move.event, ReminderDue):
            continue
        pause = move.before.pause
        assert pause
        assert pause.live
        assert pause.remind_every
        assert pause.wakes_at
        due = pause.since + (pause.reminded + 1) * pause.remind_every
        assert due < pause.wakes_at
        assert due <= move.now
        after = move.after.pause
        assert after
        assert pause.since + after.reminded * pause.remind_every <= move.now
        assert pause.since + (after.reminded + 1) * pause.remind_every > move.now
        assert move.after == replace(move.before, pause=replace(pause, reminded=after.reminded))


# 4


def runs_count_up(journal: Journal) -> None:
    for move in journal:
        for before, after in move.steps:
            if after.runs != before.runs:
                assert after.runs == before.runs + 1
                assert after.attempts == 1
                if before.runs:
                    _caused_by_a_rerun(move, before, after)
            elif after.attempts != before.attempts:
                assert after.attempts == before.attempts + 1
                assert before.policy.retry
                assert after.attempts <= before.policy.retry.max + 1
                assert (after.context, after.callback) == (before.context, before.callback)
            if after.status is StepStatus.RUNNING and before.status is not StepStatus.RUNNING:
                assert after.exports == {}
                assert min(after.attempt[1:]) >= 1


def _caused_by_a_rerun(move: Move, before: Step, after: Step) -> None:
    pause = move.after.pause
    assert pause
    assert (pause.kind, pause.of) == (PauseKind.RERUN, before.attempt)
    assert pause.max_retries is not None
    assert pause.max_retries >= before.runs
    assert after.context == pause.context
    assert after.callback == (pause.decision.request if pause.decision else None)


def the_last_pause_asked_for_is_taken(journal: Journal) -> None:
    """``exit`` wins over all of them; a call at its limit asks for nothing; whatever is passed over gets a warning."""
    for move in journal:
        if not isinstance(move.event, StepFinished):
            continue
        runs = present(move.before).runs
        asked = [call for call in move.event.pauses if call.max_retries is None or runs <= call.max_retries]
        spent = len(move.event.pauses) - len(asked)
        passed_over = len(asked) > 1 or (asked and move.event.exit)
        warned = move.after.warnings[len(move.before.warnings) :]
        warnings = len([said for said in warned if TOO_LATE not in said])
        taken = asked[-1:] if not move.event.exit else []
        forms = [form for call in taken for form in (call.form, *(one.form for one in call.alternatives))]
        useless = [form for form in forms if form is not None and unusable(form)]
        assert warnings == spent + bool(passed_over) + len(useless) + dropped(move)
        step = move.after.steps[move.before.at]
        if move.event.exit:
            assert (move.after.status, move.after.reason) == (Status.SUCCEEDED, move.event.exit.reason)
        elif asked:
            assert _is_of(move.after.pause, asked[-1], move)
        else:
            assert step.status is StepStatus.SUCCEEDED
            assert move.after.status in (Status.RUNNING, Status.SUCCEEDED)


def _is_of(pause: Pause | None, call: PauseCall, move: Move) -> bool:
    return pause is not None and (
        pause.of == present(move.before).attempt
        and pause.since == move.now
        and pause.wakes_at
        == move.now + min([call.after_ms, *(one.after_ms for one in call.alternatives if one.after_ms)])
        and pause.alternatives == call.alternatives
        and (pause.approvals is None) is (call.approvals is None)
        and (pause.kind, pause.on_timeout, pause.context) == (call.kind, call.on_timeout, call.context)
        and pause.max_retries == call.max_retries
    )


def failures_are_retried_as_the_policy_says(journal: Journal) -> None:
    for move in journal:
        if not isinstance(move.event, StepFailed):
            continue
        step = present(move.before)
        run, attempt = max(1, step.runs), max(1, step.attempts)
        left = step.policy.retry.max + 1 - attempt if step.policy.retry else 0
        if left > 0 and not move.event.final:
            assert step.policy.retry
            assert move.after.pause
            assert (move.after.pause.kind, move.after.pause.of) == (PauseKind.RETRY, (step.name, run, attempt))
            assert move.after.pause.wakes_at == move.now + step.policy.retry.wait(attempt)
        else:
            assert (move.after.status, move.after.reason) == (
                Status.FAILED,
                move.event.reason or move.event.error.ename,
            )


# 5


SAID_AT_THE_END: dict[type, str] = {Moved: "moved_to", Arrived: "warnings"}
"""What is put down of an execution that is over: that it went to another machine, or came from one."""


def final_states_are_final(journal: Journal) -> None:
    for move in journal:
        if move.before.status.final:
            told = SAID_AT_THE_END.get(type(move.event))
            same = replace(move.after, **{told: getattr(move.before, told)}) if told else move.after
            assert same == move.before
    for earlier, later in pairwise(journal):
        assert later.before == kept(earlier.after)


def the_end_leaves_nothing_open(journal: Journal) -> None:
    end = journal[-1].after
    if not end.status.final:
        return
    assert end.finished_at is not None
    assert all(step.status in ENDED for step in end.steps)
    assert all(pause.ended_by for pause in record(journal).values())
    for status, culprits in (
        (Status.FAILED, [place for place, step in enumerate(end.steps) if step.status is StepStatus.FAILED]),
        (Status.CANCELLED, [place for place, step in enumerate(end.steps) if step.status is StepStatus.CANCELLED]),
    ):
        if end.status is status:
            assert culprits == [end.at] or (status is Status.CANCELLED and not end.steps[end.at].runs)
        else:
            assert not culprits
    exited = any(isinstance(move.event, StepFinished) and move.event.exit for move in journal)
    if end.status is Status.SUCCEEDED and not exited:
        skipped = _skipped_by_a_replay(journal)
        assert all(step.status is StepStatus.SUCCEEDED or step.name in skipped for step in end.steps)


# 6


def only_the_running_hold_a_slot(journal: Journal) -> None:
    for move in journal:
        at_work = [step for step in move.after.steps if step.status is StepStatus.RUNNING]
        assert len(at_work) <= (move.after.status is Status.RUNNING)
        if move.after.status is Status.RUNNING and move.before.status is not Status.RUNNING:
            assert isinstance(move.event, Admitted)


# 7


def lost_steps_are_repeated_as_they_were(journal: Journal) -> None:
    """The same run, attempt, links and segment; the third loss in a row, or the first of a ``once`` step, ends it."""
    losses: dict[Attempt, int] = {}
    for move in journal:
        if not isinstance(move.event, ServerLost | Released):
            continue
        step, again = present(move.before), move.after.steps[move.before.at]
        in_flight = step.status is StepStatus.RUNNING and move.event != Released(begun=False)
        if in_flight and isinstance(move.event, ServerLost):
            losses[step.attempt] = losses.get(step.attempt, 0) + 1
        looping = in_flight and isinstance(move.event, ServerLost) and losses[step.attempt] >= 3
        reason = "CrashLoop" if looping else "OnceInterrupted" if in_flight and step.policy.once else None
        assert move.after.reason == reason
        if reason:
            assert move.after.status is Status.FAILED
            continue
        assert (move.after.status, again.status, again.attempt) == (Status.QUEUED, StepStatus.PENDING, step.attempt)
        assert (again.context, again.callback, again.asked) == (step.context, step.callback, step.asked)
        spent = replace(move.before, compute_ms=move.after.compute_ms, segment_ms=move.after.segment_ms)
        assert replace(move.after, status=spent.status, steps=spent.steps) == spent


# The answer to the caller of the HTTP trigger


def the_first_answer_stands(journal: Journal) -> None:
    """What an attempt says again, or a step after it, changes nothing; at a pause or at the end it is due at last."""
    for move in journal:
        before, after, said = move.before.response, move.after.response, _said(move)
        step = move.before.step
        of = Attempt(step.name, max(1, step.runs), max(1, step.attempts)) if step else None
        first = before or (replace(said, of=of) if said else None)
        if first is None:
            assert after is None
            continue
        rests = move.after.status is Status.SUSPENDED and present(move.after).status is StepStatus.SUSPENDED
        waits = rests and move.after.pause is not None and move.after.pause.kind is not PauseKind.RETRY
        assert after == replace(first, due=first.due or waits or move.after.status.final)
        if before and said and before.of != of:
            assert any(TOO_LATE in warning for warning in move.after.warnings)


def _said(move: Move) -> Response | None:
    """What the step in hand answers with this move; of one that failed only what was to be sent at once."""
    if not isinstance(move.event, Responded | StepFinished | StepFailed) or move.event.response is None:
        return None
    counts = not isinstance(move.event, StepFailed) or move.event.response.due
    return move.event.response if counts else None


# Section 5, credits


def credits_are_counted_by_segment(journal: Journal) -> None:
    """A segment goes from the first admission, or the first after a pause, to the next pause; crashes end none.

    A step that is stopped has cost the time since its start; what a lost server had run is known to nobody.
    """
    segments: list[int] = []
    paused = True
    for move in journal:
        if isinstance(move.event, Admitted) and paused:
            segments.append(0)
            paused = False
        if isinstance(move.event, StepFinished | StepFailed):
            segments[-1] += move.event.compute_ms
            before, after = move.before.pause, move.after.pause
            paused = after is not None and after.kind is not None and after != before
        elif stopped(move):
            segments[-1] += max(0, move.now - (present(move.before).started_at or 0))
        assert move.after.segments == len(segments)
        assert move.after.compute_ms == sum(segments) == sum(step.compute_ms for step in move.after.steps)
        assert move.after.credits == sum(max(1, -(-spent // 30_000)) for spent in segments)


def stopped(move: Move) -> bool:
    """Whether a running step was stopped in order: by a cancel, or by a server that gave it back."""
    running = move.before.step is not None and move.before.step.status is StepStatus.RUNNING
    cancelled = move.after.status is Status.CANCELLED and move.before.status is Status.RUNNING
    return running and (move.event == Released() or cancelled)


def suspended_time_is_the_time_in_pauses(journal: Journal) -> None:
    ended = [pause for pause in record(journal).values() if pause.kind and pause.ended_at is not None]
    waited = sum(max(0, (pause.ended_at or 0) - pause.since) for pause in ended)
    assert journal[-1].after.suspended_ms == waited


def the_bill_adds_up(journal: Journal) -> None:
    """What each change adds, taken together, is what the execution and its steps say of themselves."""
    segments: dict[int, list[int]] = {}
    steps: dict[str, int] = {}
    for move in journal:
        found = spent(move.before, move.after)
        if found is None:
            continue
        counts = segments.setdefault(found.segment, [0, 0, 0])
        for place, more in enumerate((found.compute_ms, found.suspended_ms, found.credits)):
            counts[place] += more
        for name, more in found.steps:
            steps[name] = steps.get(name, 0) + more
        assert sum(more for _, more in found.steps) == found.compute_ms
    last = journal[-1].after
    assert [sum(figures) for figures in zip(*segments.values(), strict=True)] in (
        [last.compute_ms, last.suspended_ms, last.credits],
        [],
    )
    assert all(credits == max(1, -(-compute // 30_000)) for compute, _, credits in segments.values())
    assert steps == {step.name: step.compute_ms for step in last.steps if step.compute_ms}


ALL: tuple[Callable[[Journal], None], ...] = (
    finished_steps_never_start_again,
    a_migration_changes_only_what_is_to_come,
    pauses_end_once,
    of_what_came_early_the_first_that_fits_stands,
    an_approval_counts_once_and_only_of_those_who_are_asked,
    escalations_come_once,
    accepted_requests_are_never_lost,
    decisions_take_effect,
    the_suspended_wait_in_one_pause,
    timers_are_never_early,
    reminders_come_between_the_beginning_and_the_end_of_a_pause,
    runs_count_up,
    the_last_pause_asked_for_is_taken,
    failures_are_retried_as_the_policy_says,
    final_states_are_final,
    the_end_leaves_nothing_open,
    only_the_running_hold_a_slot,
    lost_steps_are_repeated_as_they_were,
    the_first_answer_stands,
    answers_obey_the_table,
    credits_are_counted_by_segment,
    suspended_time_is_the_time_in_pauses,
    the_bill_adds_up,
)


def check(journal: Journal) -> None:
    """Every invariant, over the whole of a journal; nothing has become yet of an execution that has none."""
    for invariant in ALL if journal else ():
        invariant(journal)
