"""flownb at work in one server: waits for the data folder, recovers what it finds there, runs, and gives it back."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

from flownb import faults
from flownb.bridge.kernel_side import KernelSide
from flownb.bridge.port import Parking
from flownb.core.errors import FlowNBError
from flownb.core.model import Execution, Json, Status
from flownb.core.notebook import fresh
from flownb.server.ahead import expect_what_waits
from flownb.server.attempts import Attempts
from flownb.server.broadcast import Broadcast
from flownb.server.callers import Callers
from flownb.server.clock import Clock
from flownb.server.config import Config
from flownb.server.context import Links
from flownb.server.continuing import Continuing
from flownb.server.deployments import Deployments
from flownb.server.doctor import Doctor
from flownb.server.giving import Address, Giving
from flownb.server.kernels import Workshop
from flownb.server.letters import Letters
from flownb.server.mailer import Mailer
from flownb.server.migrations import Migrations
from flownb.server.moving import Moves
from flownb.server.notebooks import Notebooks
from flownb.server.notifier import Notifier
from flownb.server.observing.metrics import committed
from flownb.server.observing.observe import observed
from flownb.server.observing.telling import Emit
from flownb.server.openings import Jupyter, Openings
from flownb.server.peers import Peers
from flownb.server.pruning import Pruning
from flownb.server.recorder import Recorder, file_stem
from flownb.server.replays import Replays
from flownb.server.retention import Retention
from flownb.server.runner import Runner
from flownb.server.scheduler import Scheduler
from flownb.server.schedules import Schedules
from flownb.server.tidying import tidy
from flownb.server.warm import WarmKernels
from flownb.server.watching import Watching
from flownb.store import backup, keys
from flownb.store.engines import engine
from flownb.store.folder import DataFolder
from flownb.store.lease import Lease
from flownb.store.snapshots import AnySnapshots
from flownb.store.store import Store
from flownb.store.writer import Fenced

RETRY_SECONDS = 5.0
"""Between two tries to open a data folder that is out of order."""


class Unavailable(FlowNBError):
    """This server does not own the data folder now; ``reason`` is ``standby``, ``starting`` or ``store_failed``."""

    reason = "starting"


@dataclass(frozen=True)
class Active:
    """What there is while this server owns the data folder."""

    store: Store
    peers: Peers
    scheduler: Scheduler
    runner: Runner
    attempts: Attempts
    links: Links
    broadcast: Broadcast
    snapshots: AnySnapshots
    replays: Replays
    migrations: Migrations
    openings: Openings
    continuing: Continuing
    doctor: Doctor
    deployments: Deployments
    moves: Moves
    schedules: Schedules
    callers: Callers
    watching: Watching
    letters: Letters
    mailer: Mailer
    folder: DataFolder
    caring: asyncio.Lock  # held by whoever copies or changes what everything rests on


class Service:
    """One supervised task; whatever ends it but ``stop`` leads back to its beginning."""

    def __init__(
        self,
        config: Config,
        kernels: Callable[[DataFolder], Parking],
        notebooks: Notebooks,
        clock: Clock,
        root_url: Callable[[DataFolder], str],
        jupyter: Jupyter,
        address: Callable[[], Address],
        owner: Callable[[], dict[str, Any]],
        emit: Emit,
        log: logging.Logger | logging.LoggerAdapter[Any],
    ) -> None:
        self.config = config
        self.notebooks = notebooks
        self.clock = clock
        self._kernels = kernels
        self._root_url = root_url
        self._log = log
        self._folder = DataFolder(config.data_dir)
        self._snapshots = config.bucket or self._folder.snapshots
        self._jupyter = jupyter
        self._address = address
        self._owner = owner
        self._emit = emit
        self._lease: Lease | None = None
        self._lost = asyncio.Event()
        self._active: Active | None = None
        self._why_not: FlowNBError = Unavailable("flownb is starting")
        self._task: asyncio.Task[None] | None = None

    @property
    def active(self) -> Active:
        """What is at work; raises ``Unavailable``, which says why nothing is."""
        if self._active is None:
            raise self._why_not
        return self._active

    @property
    def busy(self) -> bool:
        """Whether a server that stops for want of activity would let something down: what runs, a timer, or a mail."""
        active = self._active
        if active is None:
            return False
        return any(one.busy for one in (active.scheduler, active.mailer, active.schedules, active.watching))

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="flownb")

    async def stop(self) -> None:
        """Let steps end that end soon, give back what still runs, and only then free the data folder."""
        if self._active is not None:
            await self._wind_down(self._active)
        self._why_not = Unavailable("flownb is stopping", "stopping")
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _wind_down(self, active: Active) -> None:
        """Nothing begins any more; a step that ends within its grace time is on record, with its checkpoint."""
        running, seconds = active.scheduler.running, self.config.shutdown_seconds
        active.runner.wind_down()
        left = await active.scheduler.wind_down(seconds)
        if running:
            told = "flownb: stopping: of %d steps that ran, %d have ended; %d are interrupted after %g s"
            self._log.info(told, running, running - left, left, seconds)

    async def _run(self) -> None:
        while True:
            try:
                self._folder.make()
                await self._own()
                async with self._at_work() as active:
                    self._active = active
                    try:
                        await self._while_ours(
                            active.peers.run(),
                            active.scheduler.run(),
                            active.peers.when_leading(active.schedules.run),
                            active.peers.when_leading(active.watching.run),
                        )
                    finally:
                        self._active = None
            except Fenced:
                self._log.error("flownb: another server has taken this one's place: it begins anew")
            except (FlowNBError, OSError) as error:
                self._why_not = Unavailable(str(error), "store_failed")
                self._log.error("flownb: out of order: %s", error)
                await asyncio.sleep(RETRY_SECONDS)
            except Exception as error:
                self._why_not = Unavailable(f"flownb has failed: {error!r}", "failed")
                self._log.exception("flownb: begins anew after an error of its own")
                await asyncio.sleep(RETRY_SECONDS)
            finally:
                if self._lease is not None:
                    await asyncio.to_thread(self._lease.release)

    async def _own(self) -> None:
        """Wait until the data folder is ours; a store that servers share is each one's at once."""
        self._lost = asyncio.Event()
        loop = asyncio.get_running_loop()
        if self.config.store:
            self._why_not = Unavailable("flownb is starting")
            return

        def lost() -> None:
            loop.call_soon_threadsafe(self._lost.set)

        self._lease = Lease(self._folder.lease, self._owner(), lost)
        self._why_not = Standby(self._folder.root, self._lease)
        await asyncio.to_thread(self._lease.acquire)
        self._why_not = Unavailable("flownb is starting")

    async def _while_ours(self, *works: Coroutine[Any, Any, None]) -> None:
        """Do all that is to be done until one part of it ends, or the data folder is another server's.

        Raises what a part raised, or ``Fenced``.
        """
        working = [asyncio.create_task(work) for work in works]
        losing = asyncio.create_task(self._lost.wait())
        try:
            await asyncio.wait([*working, losing], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (losing, *working):
                task.cancel()
            for ended in await asyncio.gather(*working, return_exceptions=True):
                if isinstance(ended, Exception):
                    raise ended
        raise Fenced("another server has taken over this data folder")

    @asynccontextmanager
    async def _at_work(self) -> AsyncIterator[Active]:
        """Everything that lives as long as the data folder is ours; it is taken down in reverse order."""
        config = self.config
        async with AsyncExitStack() as stack:
            key = await asyncio.to_thread(keys.read_or_make, config.key_file)
            links = Links(key, self._root_url(self._folder))
            letters = Letters(links, config.smtp, Notifier(config.notify, key))
            if letters.notifier.lacking:
                self._log.error("flownb: nobody is notified: %s", letters.notifier.lacking)
            alarm = letters.of_failure
            at = engine(config.store, self._folder.database, config.journal_mode, config.lease_seconds)
            store = Store(at, key, self.clock, letters, alarm, committed)
            stack.push_async_callback(store.close)
            await store.open()
            peers = Peers(store, self.clock, self._lost.set, self._log)
            await peers.join()
            faults.point("start.opened")
            await asyncio.to_thread(backup.end, self._folder)
            kernels = self._kernels(self._folder)
            stack.push_async_callback(kernels.close)
            warm = WarmKernels(config.warm_seconds, config.max_running)
            stack.push_async_callback(warm.close)
            giving = Giving(key, self._address())
            workshop = Workshop(
                kernels,
                self._snapshots,
                config.root,
                links,
                giving,
                config.kernel_memory,
                config.max_snapshot_bytes,
                config.limits,
            )
            attempts = Attempts(store, workshop, links, giving, letters, self.clock, config.limits)
            pruning = Pruning(store, self._snapshots, self.clock, config.keep, self._log)
            retention = Retention(store, self._snapshots, self.clock, config.keep_snapshots_seconds, pruning, self._log)
            stack.callback(store.listen(retention.hear))
            removing = asyncio.create_task(retention.run())
            stack.push_async_callback(_cancelled, removing)
            runner = Runner(store, workshop, warm, attempts, retention, self._log)
            broadcast = Broadcast(store)
            stack.callback(broadcast.close)
            stack.callback(store.listen(broadcast.hear, everywhere=True))
            recorder = Recorder(store, config.runs_dir, self._log)
            await recorder.catch_up()
            stack.callback(store.listen(recorder.hear))
            writing = asyncio.create_task(recorder.run())
            stack.push_async_callback(_cancelled, writing)
            mailer = Mailer(store, letters, self.clock, self._log)
            stack.callback(store.listen(mailer.hear, everywhere=True))
            mailing = asyncio.create_task(peers.when_leading(mailer.run))
            stack.push_async_callback(_cancelled, mailing)
            deployments = Deployments(store, self.notebooks, links)
            await deployments.load()
            peers.listen(deployments.refresh)
            callers = Callers(store, self.clock)
            stack.callback(callers.close)
            stack.callback(store.listen(callers.hear, everywhere=True))
            scheduler = Scheduler(store, runner.run, self.clock, config.max_running, self._log, peers.leads)
            peers.once_leading(scheduler.lead)
            await scheduler.recover()
            faults.point("start.recovered")
            seen = observed(store, scheduler, warm, kernels, deployments, self.clock, self._emit, self._log)
            await stack.enter_async_context(seen)
            expecting = asyncio.create_task(expect_what_waits(store, kernels))
            stack.push_async_callback(_cancelled, expecting)
            replays = Replays(store, self._snapshots, self.notebooks, self.clock)
            openings = self._openings(store, workshop)
            tidying = asyncio.create_task(tidy(store, self._snapshots, openings.is_open, self._log))
            stack.push_async_callback(_cancelled, tidying)
            continuing = Continuing(store, replays, retention)
            side = KernelSide(self._folder.kernels)
            gc.freeze()  # what is there now stays: garbage is looked for among what comes from now on
            doctor = Doctor(store, self._snapshots, side, config.root, config.kernel_memory)
            yield Active(
                store,
                peers,
                scheduler,
                runner,
                attempts,
                links,
                broadcast,
                self._snapshots,
                replays,
                Migrations(store, replays, deployments),
                openings,
                continuing,
                doctor,
                deployments,
                Moves(store, self._snapshots, self._folder.root, key, self.clock, links.root),
                Schedules(store, deployments, self.clock, self._log),
                callers,
                Watching(store, deployments, self.notebooks, self.clock, self._log),
                letters,
                mailer,
                self._folder,
                asyncio.Lock(),
            )

    def _openings(self, store: Store, workshop: Workshop) -> Openings:
        """Opened notebooks go where the executed ones are, if Jupyter can open them there."""
        root, runs = self.config.root, self.config.runs_dir
        folder = runs if runs is not None and runs.is_relative_to(root) else root / "flownb-runs"
        side = KernelSide(self._folder.kernels)
        return Openings(store, workshop, side, self._jupyter, folder, self._address().url)

    async def submit(self, path: str, trigger: Json) -> Execution:
        """Pin the notebook and queue an execution of it.

        Raises ``NoSuchNotebook``, ``NotebookError``, ``StoreError`` or ``Unavailable``.
        """
        active = self.active
        place, found = await self.notebooks.workflow(path)
        # Of a version that is known, for the ids of its cells are those of the notebook that is pinned already.
        found = await active.store.workflow(found.version) or found
        execution = fresh(found, token_hex(8), place, place, trigger, self.clock.now())
        return await active.store.create(execution, found.content)

    def executed_path(self, execution: Execution) -> str | None:
        """Where Jupyter has the executed notebook, None where it cannot see it or the first pause is still to come."""
        root, runs = self.config.root, self.config.runs_dir
        status = execution.status
        written = status.final or status is Status.SUSPENDED or execution.segments > 1
        if runs is None or not runs.is_relative_to(root) or not written:
            return None
        return (runs / f"{file_stem(execution)}.ipynb").relative_to(root).as_posix()

    async def delete(self, execution_id: str) -> None:
        """Forget a final execution and its snapshots; raises ``NotFound``, ``NotNow`` or ``StoreError``."""
        await self.active.store.delete(execution_id)
        await asyncio.to_thread(self._snapshots.remove, execution_id)


class Standby(Unavailable):
    """Another server owns the data folder: the message names it as it is at the time of asking."""

    reason = "standby"

    def __init__(self, folder: Path, lease: Lease) -> None:
        self._folder = folder
        self._lease = lease
        super().__init__("standby")

    def __str__(self) -> str:
        owner = self._lease.owner()
        named = f"{owner.get('url', 'unknown')} (pid {owner.get('pid', 'unknown')})"
        return f"this server stands by: {self._folder} is in use by the server at {named}"


async def _cancelled(task: asyncio.Task[None]) -> None:
    """An error that it ended with does not keep the rest from being taken down."""
    task.cancel()
    await asyncio.wait([task])
