"""The store as the server uses it: transitions in, facts out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from flownb.core import consequences, events, transitions
from flownb.core.deployment import NoSuchWorkflow, QueueFull, Start
from flownb.core.errors import NotebookError
from flownb.core.frozen import replace
from flownb.core.model import Action, Execution, Json, Status
from flownb.core.notebook import Workflow
from flownb.core.settings import Quota
from flownb.core.transitions.outcome import warn
from flownb.store import (
    aggregate,
    checkpoints,
    deployments,
    journal,
    outbox,
    queries,
    queue,
    servers,
    sql,
    starts,
    usage,
    waits,
    workflows,
)
from flownb.store.at_work import AtWork
from flownb.store.change import Change as Change
from flownb.store.change import Clock as Clock
from flownb.store.change import NotFound as NotFound
from flownb.store.change import Post
from flownb.store.engine import Database, Engine
from flownb.store.happenings import Happening
from flownb.store.hearing import Hearing, Listener
from flownb.store.informed import informed
from flownb.store.keys import Key
from flownb.store.pinning import Pinning
from flownb.store.posting import Alarm, Posting
from flownb.store.reader import Reader
from flownb.store.sharing import Sharing
from flownb.store.signer import Signer
from flownb.store.writer import Writer

T = TypeVar("T")

Request = events.RequestArrived | events.Postponed | events.Continued


class Store:
    """Executions on disk.

    Every change goes through ``transitions`` in the writer's transaction; listeners hear of it after the commit, on
    the event loop, in order, and must return at once.
    """

    def __init__(
        self,
        engine: Engine,
        key: Key,
        clock: Clock,
        post: Post = lambda change, mails: (),
        alarm: Alarm = lambda change, held: (),
        committed: Callable[[float, int], None] = lambda seconds, jobs: None,
    ) -> None:
        self._key = key
        self._clock = clock
        self._posting = Posting(post, alarm)
        self._at_work = AtWork()
        self._signer = Signer(key)
        self._workflows = workflows.Workflows()
        self._writer = Writer(engine, committed, key.name)
        self._reader = Reader(engine)
        self.sharing = Sharing(engine, self._writer, self._reader)
        self.pinning = Pinning(self._writer, key, clock, self._workflows)
        self._hearing = Hearing()

    async def open(self) -> None:
        """Raises ``StoreError`` where the database cannot be had."""
        await self._writer.open()
        await self._writer.run(self._adopt)

    def _adopt(self, db: Database) -> None:
        """Links that were made with another key go on working."""
        if aggregate.adopt_links(db, self._key):
            deployments.adopt_hooks(db, self._key)

    async def noted(self, name: str) -> int:
        """What was noted last under a name, 0 where nothing was."""
        row = await self.read(lambda db: sql.first_row(db, "SELECT value FROM meta WHERE name = ?", name))
        return int(row["value"]) if row else 0

    async def note(self, name: str, value: int) -> None:
        """Keep a number that somebody needs after the next start."""
        await self._writer.run(lambda db: sql.put(db, "meta", {"name": name, "value": str(value)}, ("name",)))

    async def close(self) -> None:
        await self.sharing.leave()
        await self._writer.close()
        await self._reader.close()

    def listen(self, listener: Listener, *, everywhere: bool = False) -> Callable[[], None]:
        """Hear of changes from now on, ``everywhere`` of those of other servers too; returns how to stop that."""
        return self._hearing.add(listener, everywhere=everywhere)

    async def catch_up(self) -> None:
        """Have those who listen everywhere hear of what other servers have committed since the last time."""
        more = True
        while more:
            changes, more = await self.sharing.changes()
            self._hearing.tell_of_others(changes)

    def _tell(self, change: Change | None) -> None:
        self.sharing.wrote(change)
        self._hearing.tell(change)

    def _tell_all(self, changes: Iterable[Change] | None) -> None:
        for change in changes or ():
            self._tell(change)

    async def create(
        self, execution: Execution, content: Json, inherited: Iterable[checkpoints.StepCheckpoint] = ()
    ) -> Execution:
        """Put a new execution on disk, with the notebook of its version.

        A replay has the outputs of the steps behind it too, and the checkpoints that it has ``inherited``.
        """

        def job(db: Database) -> Change:
            shown: dict[str, str] = {}
            workflows.put(db, execution.version, content, execution.created_at)
            aggregate.insert(db, execution)
            if execution.replay_of is not None:
                shown = aggregate.inherit_outputs(db, execution)
            for kept in inherited:
                checkpoints.save(db, execution.id, kept, kept.at)
            return self._signer.write(db, None, execution, None, execution.created_at, shown=shown)

        return (await self._writer.run(job, self._tell)).after

    async def start(self, wish: Start) -> tuple[Execution, bool]:
        """The execution that a deployed workflow is started with, on disk, and whether it is new.

        Raises ``NoSuchWorkflow``, ``QueueFull`` or ``StoreError``.
        """
        change = await self._writer.run(partial(self.begin, wish=wish), self._tell)
        return change.after, change.before is None

    async def carry_out(self, jobs: Iterable[Callable[[Database], Sequence[Change] | None]]) -> list[Exception | None]:
        """Jobs of others in the writer, handed in together; each says which changes it made, if any.

        Returns what they raised. ``begin`` and ``transition`` are for them: they start a deployed workflow, or change
        an execution, inside a job.
        """
        return await self._writer.run_all(jobs, self._tell_all)

    def begin(self, db: Database, wish: Start) -> Change:
        """As ``start``, inside a job."""
        now = self._clock.now()
        if (known := starts.delivered(db, wish)) is not None:
            return Change(0, journal.CREATED, now, known, known)
        return self._signer.write(db, None, starts.begin(db, self._workflows, wish, now), None, now)

    async def workflow(self, version: str) -> Workflow | None:
        """The workflow of a version; None where nothing is pinned to it."""
        found = self._workflows.parsed(version)
        return found or await self.read(lambda db: self._workflows.find(db, version))

    async def pinned(self, execution: Execution) -> Workflow:
        """The workflow that an execution is pinned to."""
        found = await self.workflow(execution.version)
        assert found is not None
        return found

    async def admit(
        self, free: int, turn: queue.Turn, running: Mapping[str, str]
    ) -> tuple[list[Execution], int | None]:
        """Give free slots of this server away; returns who has one now, and when more may be given.

        Who is to have them is asked in the transaction that gives them: other servers give theirs meanwhile.
        """

        def choose(db: Database, turn: queue.Turn) -> queue.Chosen:
            return queue.choose(db, free, self._clock.now(), turn, running, self._quota)

        def job(db: Database) -> tuple[list[Change], int | None]:
            chosen = choose(db, turn)
            return [self.transition(db, one, events.Admitted()) for one in chosen.executions], chosen.next_at

        expected = await self.read(partial(choose, turn=queue.Turn([*turn.after])))
        if not expected.executions:
            return [], expected.next_at
        admitted, next_at = await self._writer.run(job, lambda given: self._tell_all(given[0]))
        return [change.after for change in admitted], next_at

    async def take_over(self) -> list[str]:
        """Executions that ran on a server which is no more are queued again; returns which were found."""

        def job(db: Database, execution_id: str) -> Change | None:
            left = servers.is_abandoned(db, execution_id)
            return self.transition(db, execution_id, events.ServerLost()) if left else None

        if not (found := await self.read(servers.abandoned)):
            return []
        errors = await self._writer.run_all((partial(job, execution_id=one) for one in found), self._tell)
        for error in errors:
            if error is not None:
                raise error
        return found

    def _quota(self, db: Database, name: str, version: str) -> Quota:
        """By the version that is deployed now, else by the one that the execution is pinned to."""
        deployed = deployments.current(db, name)
        workflow = self._workflows.find(db, deployed.version if deployed else version)
        assert workflow is not None
        return workflow.settings.quota

    async def apply(
        self,
        execution_id: str,
        event: events.Event,
        outputs: Iterable[queries.StepOutputs] = (),
        kept: checkpoints.StepCheckpoint | None = None,
        mails: Sequence[Json] = (),
    ) -> Execution:
        """The execution after ``event``, on disk, with what the step showed, its checkpoint and the mails it wrote.

        Raises ``NotFound``, ``transitions.NotNow`` where the event does not fit any more, or ``StoreError``.
        """

        def job(db: Database) -> Change:
            change = self.transition(db, execution_id, event, mails, outputs)
            if kept is not None:
                checkpoints.save(db, execution_id, kept, change.at)
            return change

        return (await self._writer.run(job, self._tell)).settled

    async def emit(self, told: Happening) -> tuple[bool, list[Execution]]:
        """Put a named event on disk; whether it is new, and the executions that go on by it."""
        job = partial(waits.emit, changes=self, told=told, now=self._clock.now())
        new, woken = await self._writer.run(job, lambda done: self._tell_all(done[1]))
        return new, [change.after for change in woken]

    async def keep_outputs(self, execution_id: str, found: queries.StepOutputs) -> None:
        """What a step showed that came to no end."""
        await self._writer.run(lambda db: self._signer.save_outputs(db, execution_id, [found]))

    async def request(
        self,
        execution_id: str,
        event: Request,
        kept: checkpoints.StepCheckpoint | None = None,
    ) -> tuple[transitions.Answer, Execution]:
        """Put a request to an execution; where it acts, ``kept`` is the checkpoint from then on.

        Raises ``NotFound`` or ``StoreError``.
        """

        def job(db: Database) -> Change:
            change = self.transition(db, execution_id, event)
            if kept is not None and change.answer is not None and change.answer.code == 200 and change.seq:
                checkpoints.save(db, execution_id, kept, change.at)
            return change

        return _answered(await self._writer.run(job, self._tell))

    async def use_link(
        self, token: str, action: Action, event: Callable[[queries.Link], Request]
    ) -> tuple[transitions.Answer, Execution] | None:
        """Put to an execution what the holder of a link asks for; None where there is no such link for this action.

        ``event`` says what that is. It is called in the writer's thread, so that link and execution are those of one
        transaction; what it raises is raised. Raises ``StoreError``.
        """

        def job(db: Database) -> Change | None:
            link = queries.link(db, token, self._key)
            if link is None or link.action is not action:
                return None
            return self.transition(db, link.execution, event(link))

        change = await self._writer.run(job, self._tell)
        return _answered(change) if change is not None else None

    async def wake(self, executions: Sequence[str]) -> dict[str, Exception]:
        """End pauses whose time has come, or remind people of them, in this order; returns what went wrong with which.

        Each is a job of its own in the writer: what goes wrong with one costs no other.
        """

        def fire(db: Database, execution_id: str) -> Change | None:
            for event in (events.TimerFired(), events.EscalationDue(), events.ReminderDue()):
                with suppress(transitions.NotNow, NotFound):
                    return self.transition(db, execution_id, event)
            return None

        errors = await self._writer.run_all((partial(fire, execution_id=one) for one in executions), self._tell)
        return {one: error for one, error in zip(executions, errors, strict=True) if error is not None}

    def transition(
        self,
        db: Database,
        execution_id: str,
        event: events.Event,
        mails: Sequence[Json] = (),
        outputs: Iterable[queries.StepOutputs] = (),
    ) -> Change:
        """As ``apply``, inside a job; for requests too."""
        latest = journal.latest(db, execution_id)
        before = self._at_work.load(db, execution_id, latest.seq)
        if before is None:
            raise NotFound(execution_id)
        now = self._clock.now()
        outcome = transitions.apply(before, informed(db, before, event), now)
        after = outcome.execution
        shown = self._signer.save_outputs(db, execution_id, outputs)
        if after is before:
            return Change(0, journal.name_of(event), now, before, after, outcome.answer)
        after, led_to = self._lead(db, before, after)
        aggregate.save(db, before, after)
        servers.note(db, self._writer.server, before, after)
        usage.add(db, before, after, now)
        aggregate.drop_unused_links(db, before, event)
        if (begun := aggregate.attempt_begun(before, after)) is not None:
            aggregate.insert_links(db, self._key, execution_id, begun)
        made = self._signer.write(db, before, after, event, now, outcome.answer, latest, shown)
        self._at_work.keep(made.seq, after)
        change = self._posting.posted(db, made, mails)
        return replace(change, led_to=(*led_to, *waits.follow(db, self, before, after, now)))

    def _lead(self, db: Database, before: Execution, after: Execution) -> tuple[Execution, tuple[Change, ...]]:
        """What a change leads to elsewhere; the record says where that could not be."""
        if after.status is not Status.FAILED:
            return after, ()
        try:
            workflow = self._workflows.find(db, after.version)
            wishes = consequences.starts(before, after, workflow.settings) if workflow is not None else ()
            return after, tuple(self.begin(db, wish) for wish in wishes)
        except (NotebookError, NoSuchWorkflow, QueueFull) as error:
            return warn(after, f"the workflow for errors was not started: {error}"), ()

    async def mark_message(self, key: str, **changes: Any) -> None:
        """Note what became of a message in the outbox."""
        await self._writer.run(lambda db: outbox.mark(db, key, **changes))

    async def drop_checkpoints(self, execution_id: str, why: str) -> None:
        """Note that an execution has no checkpoints any more."""
        await self._writer.run(lambda db: checkpoints.drop(db, execution_id, why))

    async def at_rest(self, execution_id: str, tidy: Callable[[set[str]], None]) -> None:
        """Call ``tidy`` with the names of the files that an execution uses, unless it runs or begins to."""

        def job(db: Database) -> None:
            status = db.execute("SELECT status FROM executions WHERE id = ?", (execution_id,)).fetchone()
            if status is None or status[0] != Status.RUNNING:
                tidy(checkpoints.names_used_by(db, [execution_id])[execution_id])

        await self._writer.run(job)

    async def delete(self, execution_id: str) -> None:
        """Forget a final execution and all that belongs to it; raises ``NotFound`` or ``NotNow``."""

        def job(db: Database) -> None:
            execution = aggregate.load(db, execution_id)
            if execution is None:
                raise NotFound(execution_id)
            if not execution.status.final:
                raise transitions.NotNow(f"execution {execution_id} is {execution.status}: cancel it first")
            db.execute("DELETE FROM executions WHERE id = ?", (execution_id,))
            workflows.drop_unused(db, execution.version)

        await self._writer.run(job)

    async def get(self, execution_id: str) -> Execution:
        """Raises ``NotFound``."""
        execution = await self.read(lambda db: aggregate.load(db, execution_id))
        if execution is None:
            raise NotFound(execution_id)
        return execution

    async def write(self, job: Callable[[Database], T]) -> T:
        """What ``job`` gives, once what it has changed is on disk; raises what it raises, or ``StoreError``."""
        return await self._writer.run(job)

    async def read(self, query: Callable[[Database], T]) -> T:
        """The result of one of ``queries``."""
        return await self._reader.run(query)


def _answered(change: Change) -> tuple[transitions.Answer, Execution]:
    assert change.answer is not None
    return change.answer, change.after
