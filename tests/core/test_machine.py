"""Random workflows under random requests, timers, crashes and clocks: the invariants hold after every move."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from flownb.core.durations import DAY
from flownb.core.events import (
    Admitted,
    EscalationDue,
    Event,
    ExitCall,
    Happened,
    Moved,
    PauseAsked,
    PauseCall,
    Released,
    ReminderDue,
    Responded,
    ServerLost,
    StepFailed,
    StepFinished,
    StepStarted,
    TimerFired,
)
from flownb.core.model import (
    Action,
    Alternative,
    Approvals,
    Attempt,
    Awaited,
    EndedBy,
    Error,
    Execution,
    PauseKind,
    Policy,
    Response,
    Retry,
    Signature,
    Status,
    StepStatus,
)
from flownb.core.transitions import NotNow
from tests.core.journal import fits
from tests.core.play import ANA, SAVED, Play

SIGNALS: tuple[Event, ...] = (
    Admitted(),
    StepStarted(),
    PauseAsked(),
    Responded(Response(202, {}, due=True)),
    TimerFired(),
    ReminderDue(),
    EscalationDue(),
    ServerLost(),
    Released(),
    Released(begun=False),
)

SUCCESS = StepFinished({}, SAVED, 1)
FAILURE = StepFailed(Error("KernelDied", "it went wrong"))

EVEN = {"type": "integer", "multipleOf": 2}
"""A form that every other request fills."""

actions = st.sampled_from([Action.RESUME, Action.RESUME, Action.CANCEL])
spent = st.sampled_from([0, 1, 29_999, 30_000, 30_001, 95_000])
lateness = st.sampled_from([0, -1, 1, DAY])
waits = st.integers(1, 3 * DAY)
retries = st.builds(Retry, max=st.integers(1, 3), backoff=st.sampled_from(["exponential", "constant"]), first=waits)
policies = st.builds(Policy, retry=st.none() | retries, once=st.sampled_from([False, False, False, True]))
some_policies = st.lists(policies, min_size=1, max_size=4)
timeouts = st.sampled_from(["resume", "cancel", "error"])
reruns = st.builds(
    PauseCall,
    st.just(PauseKind.RERUN),
    st.integers(0, DAY),
    context=st.none() | st.integers(),
    max_retries=st.sampled_from([3, 2, 1, 0]),
)
calls = st.one_of(
    st.builds(
        PauseCall,
        st.just(PauseKind.SUSPEND),
        waits,
        timeouts,
        form=st.sampled_from([None, EVEN]),
        remind_every=st.none() | st.integers(1, DAY),
    ),
    st.builds(PauseCall, st.just(PauseKind.DELAY), waits),
    reruns,
    reruns,
)
alternatives = st.lists(
    st.sampled_from(
        [
            Alternative("a", Awaited.REQUEST),
            Alternative("b", Awaited.FORM, form=EVEN),
            Alternative("soon", Awaited.TIMER, after_ms=1),
            Alternative("later", Awaited.TIMER, after_ms=DAY),
            Alternative("paid", Awaited.EVENT, event="paid", look_back=5),
            Alternative("child", Awaited.WORKFLOW, workflow="child"),
            Alternative("strict", Awaited.WORKFLOW, workflow="child", on_failure="raise"),
        ]
    ),
    min_size=1,
    unique_by=lambda one: one.name,
).map(tuple)
first_of = st.builds(PauseCall, st.just(PauseKind.WAIT), waits, timeouts, alternatives=alternatives)
approvals = st.builds(
    Approvals,
    needed=st.integers(1, 2),
    approvers=st.sampled_from([(), ("ann", "bob"), ("ann", "bob", "starter")]),
    not_self=st.booleans(),
    escalate_after=st.none() | waits,
    escalate_to=st.just(("boss",)),
)
by_several = st.builds(
    PauseCall, st.just(PauseKind.SUSPEND), waits, form=st.sampled_from([None, EVEN]), approvals=approvals
)
people = st.sampled_from(
    [ANA, *(Signature(user=name.title(), login=name) for name in ("ann", "bob", "boss", "starter"))]
)
branches = st.sampled_from([None, None, "a", "b", "ann", "bob", "boss"])
happenings = st.sampled_from(
    [
        ("paid", EndedBy.EVENT, None, False),
        ("child", EndedBy.WORKFLOW, None, False),
        ("child", EndedBy.WORKFLOW, Error("ChildFailed", "no"), False),
        ("strict", EndedBy.WORKFLOW, Error("ChildFailed", "no"), False),
        ("child", EndedBy.WORKFLOW, Error("NoSuchWorkflow", "no"), True),
    ]
)
calls = calls | first_of | by_several
some_calls = st.one_of(calls.map(lambda call: [call]), st.lists(calls, max_size=3)).map(tuple)
exits = st.sampled_from([None, None, None, None, ExitCall(), ExitCall("enough")])
exports = st.dictionaries(st.sampled_from(["x", "$return_value"]), st.integers(), max_size=2)
responses = st.sampled_from([None, None, Response(200, {}, "later"), Response(201, {"A": "b"}, due=True)])
ends = st.builds(StepFinished, exports, st.just(SAVED), spent, some_calls, exits, response=responses)
pauses = calls.map(lambda call: StepFinished({}, SAVED, 1, (call,)))
errors = st.builds(Error, st.sampled_from(["ValueError", "KernelDied"]), st.just("it went wrong"))
reasons = st.none() | st.just("checkpoint_missing")
failures = st.builds(StepFailed, errors, spent, st.sampled_from([False, False, True]), reasons, responses)
losses = st.sampled_from([0, 0, 0, 0, 1, 2])
turns = st.tuples(pauses | pauses | failures, losses, st.none() | actions, lateness | actions)
signals = st.sampled_from(SIGNALS)
crashes = st.sampled_from(
    [[ServerLost()], [Released()], [Released(begun=False)], 2 * [ServerLost()], 3 * [ServerLost()]]
)


class Flow(RuleBasedStateMachine):
    """One execution after another, with what a store keeps of each: its latest state and every pause it ever had."""

    @initialize(policies=some_policies)
    def create(self, policies: list[Policy]) -> None:
        self.world = Play(*policies)
        self.links: list[Attempt] = []

    @property
    def execution(self) -> Execution:
        return self.world.execution

    def play(self, event: Event) -> None:
        """The event happens if it fits; all that do not are refused."""
        for other in (event, *SIGNALS, SUCCESS, FAILURE):
            if not fits(self.execution, other, self.world.now):
                with pytest.raises(NotNow):
                    self.world.happen(other)
        if not fits(self.execution, event, self.world.now):
            return
        self.world.happen(event)
        if self.is_at(StepStatus.RUNNING) and self.world.step.attempt not in self.links:
            self.links.append(self.world.step.attempt)

    def is_at(self, status: StepStatus) -> bool:
        return self.execution.status is Status.RUNNING and self.world.step.status is status

    @property
    def due(self) -> Event | None:
        """What a server does next by itself: None where it waits for the step or for the end of a pause."""
        usual = (Admitted(), StepStarted())
        return next((event for event in usual if fits(self.execution, event, self.world.now)), None)

    @precondition(lambda self: self.due)
    @rule()
    def go_on(self) -> None:
        assert self.due
        self.play(self.due)

    @precondition(lambda self: self.at_work)
    @rule(first=st.lists(actions, max_size=3), early=st.lists(actions, max_size=2), by_api=st.booleans(), end=ends)
    def finish(self, first: list[Action], early: list[Action], by_api: bool, end: StepFinished) -> None:
        """A step comes to its end; where it asks for a pause, somebody may answer before that is known or after."""
        self.bring_to_work()
        if end.pauses:
            for action in first:
                self.click(action, self.links[-1])
            self.play(PauseAsked(form=end.pauses[0].form))
            for action in early:
                self.click(action, None if by_api else self.links[-1])
        if self.is_at(StepStatus.RUNNING):
            self.play(end)

    @precondition(lambda self: self.at_work)
    @rule(turns=st.lists(turns, min_size=2, max_size=5))
    def take_turns(self, turns: list[tuple[StepFinished | StepFailed, int, Action | None, Action | int]]) -> None:
        """Again and again a step pauses or fails, perhaps after crashes and requests, and something ends the wait."""
        for end, losses, early, then in turns:
            for _ in range(losses):
                self.bring_to_work()
                self.play(ServerLost())
            self.bring_to_work()
            if early and self.is_at(StepStatus.RUNNING):
                self.click(early, self.links[-1])
            self.play(end)
            self.follow(then)

    def follow(self, then: Action | int) -> None:
        """Somebody uses the latest link, or the timer fires, perhaps early or late."""
        if isinstance(then, Action):
            self.click(then, self.links[-1])
        elif self.execution.status is Status.SUSPENDED:
            self.reach_the_timer(then)

    @precondition(lambda self: self.at_work)
    @rule(losses=crashes, asked=st.booleans(), answers=st.booleans(), early=st.none() | actions)
    def lose_servers(self, losses: list[Event], asked: bool, answers: bool, early: Action | None) -> None:
        """One server after another is lost, or stops, as soon as the step runs."""
        for loss in losses:
            self.bring_to_work()
            if asked and self.is_at(StepStatus.RUNNING):
                self.play(PauseAsked())
            if answers and self.is_at(StepStatus.RUNNING):
                self.play(Responded(Response(203, {}, due=True)))
            self.play(loss)
        if early:
            self.click(early, self.links[-1])

    @property
    def at_work(self) -> bool:
        """Whether it is up to the server and the kernel to go on."""
        return self.execution.status in (Status.QUEUED, Status.RUNNING)

    def bring_to_work(self) -> None:
        while self.due:
            self.play(self.due)

    @precondition(lambda self: self.links)
    @rule(action=actions, data=st.data())
    def request_by_a_link(self, action: Action, data: st.DataObject) -> None:
        self.click(action, data.draw(st.sampled_from(self.links)))

    @precondition(lambda self: self.links and not self.execution.status.final)
    @rule(action=actions, again=actions)
    def request_twice_by_the_latest_link(self, action: Action, again: Action) -> None:
        self.click(action, self.links[-1])
        self.click(again, self.links[-1])

    @precondition(lambda self: not self.execution.status.final)
    @rule(action=actions)
    def request_by_api(self, action: Action) -> None:
        self.click(action)

    @precondition(lambda self: self.links and not self.execution.status.final)
    @rule(data=st.data())
    def continue_what_was_opened(self, data: st.DataObject) -> None:
        attempt = data.draw(st.sampled_from(self.links))
        self.world.continue_(attempt, {"body": len(self.world.journal)})

    @precondition(lambda self: self.links and not self.execution.status.final)
    @rule(
        to_come=st.lists(st.sampled_from("uvwxyz"), unique=True, max_size=3),
        begun=st.sampled_from([0, 0, 0, 0, -1, 1]),
        version=st.sampled_from(["version", "second", "third"]),
        late=st.booleans(),
    )
    def migrate(self, to_come: list[str], begun: int, version: str, late: bool) -> None:
        """To a version that mostly has what was run, while the latest attempt waits, runs or has gone."""
        names = [step.name for step in self.execution.steps][: max(0, self.execution.at + 1 + begun)]
        fresh = [name for name in to_come if name not in names]
        self.world.migrate(self.links[0] if late else self.links[-1], version, *names, *fresh)

    def click(self, action: Action, attempt: Attempt | None = None, **more: Any) -> None:
        """Each request is another, so that the record shows which of them counted."""
        self.world.ask(action, attempt, {"body": len(self.world.journal)}, **more)

    @precondition(lambda self: self.at_work)
    @rule(
        call=first_of | by_several, asks=st.lists(st.tuples(actions, people, branches, st.integers(0, 2)), max_size=6)
    )
    def ask_several(self, call: PauseCall, asks: list[tuple[Action, Signature, str | None, int]]) -> None:
        """A step waits for one of several, or for several people: some come before that is known, or before its end."""
        self.bring_to_work()
        if not self.is_at(StepStatus.RUNNING):
            return
        asked = PauseAsked(form=call.form, alternatives=call.alternatives, approvals=call.approvals)
        for moment, then in enumerate((asked, StepFinished({}, SAVED, 1, (call,)), None)):
            for action, who, branch, at in asks:
                if at == moment:
                    self.click(action, self.links[-1], signature=who, branch=branch)
            if then and self.is_at(StepStatus.RUNNING):
                self.play(then)

    @precondition(lambda self: self.links)
    @rule(action=actions, who=people, branch=branches, which=st.sampled_from([None, None, "a", "b"]), data=st.data())
    def request_as_somebody(
        self, action: Action, who: Signature, branch: str | None, which: str | None, data: st.DataObject
    ) -> None:
        attempt = data.draw(st.none() | st.sampled_from(self.links))
        named = which if action is Action.RESUME else None
        self.click(action, attempt, signature=who, branch=branch if attempt else None, which=named)

    @precondition(lambda self: self.execution.status is Status.SUSPENDED)
    @rule(happening=happenings)
    def something_happens(self, happening: tuple[str, EndedBy, Error | None, bool]) -> None:
        """What a wait waits for, or something that it does not."""
        which, by, error, fatal = happening
        assert self.execution.pause
        request = {"body": len(self.world.journal)}
        self.play(Happened(self.execution.pause.of, which, by, request, error, fatal))

    @precondition(lambda self: self.execution.pause and self.execution.pause.live and self.execution.pause.approvals)
    @rule()
    def escalate(self) -> None:
        pause = self.execution.pause
        assert pause
        assert pause.approvals
        self.world.now = max(self.world.now, pause.since + (pause.approvals.escalate_after or 0))
        self.play(EscalationDue())

    @precondition(lambda self: self.execution.status is Status.SUSPENDED)
    @rule(late=lateness)
    def reach_the_timer(self, late: int) -> None:
        pause = self.execution.pause
        assert pause
        assert pause.wakes_at is not None
        self.world.now = pause.wakes_at + late
        self.play(TimerFired())

    @precondition(lambda self: self.links)
    @rule(later=st.integers(-DAY, 400 * DAY), by_api=st.booleans(), data=st.data())
    def postpone(self, later: int, by_api: bool, data: st.DataObject) -> None:
        """More time for a pause that waits, or waited."""
        attempt = None if by_api else data.draw(st.sampled_from(self.links))
        self.world.postpone(self.world.now + later, attempt)

    @rule(to=st.sampled_from([None, "https://there"]), again=st.booleans())
    def move_elsewhere(self, to: str | None, again: bool) -> None:
        """The execution goes to another machine, if nothing of it is under way; where to may be told later."""
        self.play(Moved(to))
        if again:
            self.play(Moved("https://over-there"))

    @precondition(lambda self: not self.execution.status.final)
    @rule(jump=st.integers(-2 * DAY, 4 * DAY), event=signals | failures)
    def jump_in_time(self, jump: int, event: Event) -> None:
        """The clock jumps, also backwards, and something happens that may fit or not."""
        self.world.now += jump
        self.play(event)

    @precondition(lambda self: self.execution.status.final or len(self.world.journal) > 15)
    @rule(policies=some_policies)
    def create_another(self, policies: list[Policy]) -> None:
        """Left alone, a server brings every execution to its end, where it stays whatever comes; then the next one."""
        while not self.execution.status.final:
            if self.execution.status is Status.SUSPENDED:
                self.reach_the_timer(0)
            else:
                self.play(self.due or SUCCESS)
        self.play(FAILURE)
        for action in (Action.RESUME, Action.CANCEL):
            self.click(action)
            for attempt in self.links:
                self.click(action, attempt)
        self.create(policies)


class TestFlow(Flow.TestCase):  # type: ignore[misc, valid-type]
    settings = hypothesis.settings(max_examples=150)


@pytest.mark.slow
@pytest.mark.timeout(7_200)
class TestFlowAtLength(Flow.TestCase):  # type: ignore[misc, valid-type]
    settings = hypothesis.settings(max_examples=20_000)
