"""Puts together what is seen from outside, for as long as this server owns the data folder."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import Any, TypeVar

from prometheus_client import REGISTRY

from flownb.bridge.port import Parking
from flownb.server.clock import Clock
from flownb.server.deployments import Deployments
from flownb.server.observing.measuring import Measuring
from flownb.server.observing.metrics import Gauges
from flownb.server.observing.standing import Standing
from flownb.server.observing.telling import Emit, Telling
from flownb.server.observing.tracing import tracing
from flownb.server.scheduler import Scheduler
from flownb.server.warm import WarmKernels
from flownb.store.store import Store

T = TypeVar("T")
Log = logging.Logger | logging.LoggerAdapter[Any]


def harmless(listener: Callable[[T], None], log: Log) -> Callable[[T], None]:
    """The listener, whose errors are logged: what merely watches keeps nothing from going on."""

    def hear(told: T) -> None:
        try:
            listener(told)
        except Exception:
            log.exception("flownb: what was to be observed is lost")

    return hear


@asynccontextmanager
async def observed(
    store: Store,
    scheduler: Scheduler,
    warm: WarmKernels,
    kernels: Parking,
    deployments: Deployments,
    clock: Clock,
    emit: Emit,
    log: Log,
) -> AsyncIterator[None]:
    """Metrics, events and traces of all that happens in the block."""
    standing, measuring, telling = Standing(), Measuring(clock), Telling(deployments, emit)
    gauges = Gauges(
        standing=lambda: standing.counts,
        oldest=measuring.oldest,
        kernels=lambda: {"running": scheduler.running, "warm": warm.kept, "parked": kernels.parked},
        taken=lambda: {"warm": warm.hits, **kernels.taken},
        deployed=lambda: len(deployments),
    )
    with ExitStack() as stack:
        for listener in (standing.hear, measuring.hear, telling.hear):
            stack.callback(store.listen(harmless(listener, log)))
        stack.callback(deployments.listen(harmless(telling.deployed, log)))
        if (traces := tracing(log)) is not None:
            stack.callback(traces.close)
            stack.callback(store.listen(harmless(traces.hear, log)))
        REGISTRY.register(gauges)
        stack.callback(REGISTRY.unregister, gauges)
        counting = asyncio.create_task(standing.begin(store))
        try:
            yield
        finally:
            counting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await counting
