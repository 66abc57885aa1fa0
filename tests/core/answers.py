"""What a request is answered: the tables of sections 4 and 5 of the contract, told from the record."""

from __future__ import annotations

from dataclasses import replace

from flownb.core.durations import LONGEST
from flownb.core.events import Continued, Migrated, Postponed, RequestArrived
from flownb.core.forms import complaints
from flownb.core.model import Action, EndedBy, Execution, Json, Pause, PauseKind, Status, StepStatus
from flownb.core.transitions.requests import MOST_EARLY
from tests.core.journal import Journal, Key, Move, form_of, key, present, request_of, written

POSTPONED_IN_VAIN = [
    (409, "not_suspended"),
    (409, "no_deadline"),
    (422, "invalid"),
    (410, "expired"),
    (410, "moved"),
    (200, "already_resumed"),
    (409, "already_cancelled"),
]
UNDER_WAY = (StepStatus.PENDING, StepStatus.RUNNING)
WORD = {Action.RESUME: "resumed", Action.CANCEL: "cancelled"}


def answers_obey_the_table(journal: Journal) -> None:
    known: dict[Key, Pause] = {}
    for move in journal:
        if isinstance(move.event, RequestArrived):
            answer = move.outcome.answer
            assert answer
            due = _by_link(move, known) if move.event.attempt else _by_api(move, known)
            assert (answer.code, answer.status) == _forwarded(due, move.before)
            if answer.code >= 400 or answer.status.startswith("already_"):
                assert move.after == move.before
        elif isinstance(move.event, Continued):
            assert move.outcome.answer
            assert (move.outcome.answer.code == 200 and move.after != move.before) is _in_time(move)
        elif isinstance(move.event, Postponed):
            _puts_off_a_deadline(move, move.event)
        elif isinstance(move.event, Migrated):
            assert move.outcome.answer
        else:
            assert move.outcome.answer is None
        known |= {key(pause): pause for pause in written(move.after)}


def _forwarded(due: tuple[int, str], before: Execution) -> tuple[int, str]:
    """Where an execution has gone elsewhere, whoever comes too late is told so."""
    return (410, "moved") if before.moved_to and due == (410, "expired") else due


def _in_time(move: Move) -> bool:
    """Whether the pause that a person opened still waits, and would take what they send as a request of theirs."""
    pause, request = move.before.pause, request_of(move.event)
    if not pause or not request or not pause.live or pause.of != request.attempt:
        return False
    return _by_pause(pause, request, move.before) == (200, "resumed")


def _puts_off_a_deadline(move: Move, event: Postponed) -> None:
    """That of a live pause which waits for people, never to an earlier time; otherwise nothing happens."""
    pause, answer = move.before.pause, move.outcome.answer
    assert answer
    meant = pause and pause.live and event.attempt in (None, pause.of) and pause.kind is PauseKind.SUSPEND
    if pause and pause.wakes_at and meant and event.until <= move.now + LONGEST:
        later = max(event.until, pause.wakes_at)
        assert (answer.code, answer.status, answer.at) == (200, "postponed", later)
        assert move.after == replace(move.before, pause=replace(pause, wakes_at=later))
    else:
        assert (answer.code, answer.status) in POSTPONED_IN_VAIN
        assert move.after == move.before


def _by_link(move: Move, known: dict[Key, Pause]) -> tuple[int, str]:
    event, step = move.event, move.before.step
    assert isinstance(event, RequestArrived)
    assert event.attempt
    pause = known.get((event.attempt, False))
    if pause is None:
        under_way = step and step.attempt == event.attempt and step.status in UNDER_WAY
        return (202, "accepted") if under_way and event.which is None else NOT_THERE if under_way else (410, "expired")
    return _by_pause(pause, event, move.before)


NOT_THERE = (409, "not_suspended")


def _by_pause(pause: Pause, event: RequestArrived, before: Execution) -> tuple[int, str]:
    action, choices = event.action, [one.name for one in pause.alternatives if one.for_people]
    wanted = event.which or event.branch or (choices[0] if len(choices) == 1 else None)
    won = pause.decision.which if pause.decision and pause.decision.action is Action.RESUME else None
    if pause.alternatives and action is Action.RESUME and won and wanted not in (None, won):
        return 410, "expired"
    if pause.ended_by is None and pause.decision is None:
        if event.which is not None and not pause.alternatives:
            return NOT_THERE
        if (refused := _refused(pause, event, before)) is not None:
            return refused
        if action is Action.RESUME and not fills(form_of(pause, wanted), event.request):
            return 422, "invalid"
        if pause.approvals and action is Action.RESUME:
            if _who(event) in [one.which for one in pause.approvals.given]:
                return 200, "already_approved"
            if len(pause.approvals.given) + 1 < pause.approvals.needed:
                return 202, "approved"
        return (200, WORD[action]) if pause.live else (202, "accepted")
    if pause.decision is None or pause.ended_by not in (None, EndedBy.RESUME, EndedBy.CANCEL):
        return 410, "expired"
    if pause.decision.action is not action:
        return 409, f"already_{WORD[pause.decision.action]}"
    if pause.ended_by is None and not present(before).asked and (event.which or len(pause.early) == MOST_EARLY):
        return NOT_THERE
    return (200, f"already_{WORD[action]}") if pause.ended_by else (202, "accepted")


def _who(event: RequestArrived) -> str | None:
    """As whom somebody decides: by a link of their own, or logged in."""
    return event.branch or event.signature.login


def _refused(pause: Pause, event: RequestArrived, before: Execution) -> tuple[int, str] | None:
    """What somebody is told who is not asked, or asks for what is no alternative."""
    if pause.approvals:
        if event.action is Action.CANCEL and event.attempt is None:
            return None
        asked = {*pause.approvals.approvers, *(pause.approvals.escalate_to if pause.approvals.escalated else ())}
        if _who(event) is None or (pause.approvals.approvers and _who(event) not in asked):
            return 403, "not_approver"
        himself = before.trigger.get("login") in (_who(event), event.signature.login)
        if event.action is Action.RESUME and pause.approvals.not_self and himself:
            return 403, "not_self"
        return None
    if event.action is Action.CANCEL or (not pause.alternatives and pause.kind is None):
        return None
    choices = [one.name for one in pause.alternatives if one.for_people]
    wanted = event.which or event.branch
    if wanted is None and pause.alternatives and len(choices) != 1:
        return (409, "which_required") if choices else (410, "expired")
    return (410, "expired") if wanted is not None and wanted not in choices else None


def _by_api(move: Move, known: dict[Key, Pause]) -> tuple[int, str]:
    event, before = move.event, move.before
    assert isinstance(event, RequestArrived)
    if before.status.final:
        again = event.action is Action.CANCEL and before.status is Status.CANCELLED
        return (200, "already_cancelled") if again else (410, "expired")
    if event.action is Action.CANCEL:
        return 200, "cancelled"
    step = present(before)
    woken = before.status is Status.QUEUED and before.fresh
    if before.pause and (before.pause.live or woken):
        return _by_pause(before.pause, event, before)
    if step.asked:
        early = known.get((step.attempt, False))
        return _by_pause(early, event, before) if early else (202, "accepted")
    return 409, "not_suspended"


def fills(form: Json, request: Json) -> bool:
    return form is None or not complaints(form, request["body"])
