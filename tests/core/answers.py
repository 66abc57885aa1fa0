"""What a request is answered: the tables of sections 4 and 5 of the contract, told from the record."""

from __future__ import annotations

from dataclasses import replace

from flownb.core.durations import LONGEST
from flownb.core.events import Continued, Migrated, Postponed, RequestArrived
from flownb.core.forms import complaints
from flownb.core.model import Action, EndedBy, Json, Pause, PauseKind, Status, StepStatus
from tests.core.journal import Journal, Key, Move, key, present, written

POSTPONED_IN_VAIN = [
    (409, "not_suspended"),
    (409, "no_deadline"),
    (422, "invalid"),
    (410, "expired"),
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
            assert (answer.code, answer.status) == due
            if answer.code >= 400 or answer.status.startswith("already_"):
                assert move.after == move.before
        elif isinstance(move.event, Continued):
            assert move.outcome.answer
            assert (move.outcome.answer.code == 200 and move.after != move.before) is _in_time(move, move.event)
        elif isinstance(move.event, Postponed):
            _puts_off_a_deadline(move, move.event)
        elif isinstance(move.event, Migrated):
            assert move.outcome.answer
        else:
            assert move.outcome.answer is None
        known |= {key(pause): pause for pause in written(move.after)}


def _in_time(move: Move, event: Continued) -> bool:
    """Whether the pause that a person opened still waits, and what they send with it fills its form."""
    pause = move.before.pause
    return bool(pause and pause.live and pause.of == event.of and fills(pause.form, event.request))


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
        return (202, "accepted") if under_way else (410, "expired")
    return _by_pause(pause, event)


def _by_pause(pause: Pause, event: RequestArrived) -> tuple[int, str]:
    action = event.action
    if pause.ended_by is None and pause.decision is None:
        if action is Action.RESUME and not fills(pause.form, event.request):
            return 422, "invalid"
        return (200, WORD[action]) if pause.live else (202, "accepted")
    if pause.decision is None or pause.ended_by in (EndedBy.VOID, EndedBy.TIMER):
        return 410, "expired"
    if pause.decision.action is not action:
        return 409, f"already_{WORD[pause.decision.action]}"
    return (200, f"already_{WORD[action]}") if pause.ended_by else (202, "accepted")


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
        return _by_pause(before.pause, event)
    if step.asked:
        early = known.get((step.attempt, False))
        return _by_pause(early, event) if early else (202, "accepted")
    return 409, "not_suspended"


def fills(form: Json, request: Json) -> bool:
    return form is None or not complaints(form, request["body"])
