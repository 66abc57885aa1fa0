"""What a crash left behind in the snapshots' folder: nobody knows of it, and it only takes room."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any

from flownb import faults
from flownb.store import checkpoints
from flownb.store.snapshots import AnySnapshots
from flownb.store.store import Store
from flownb.store.writer import StoreError

TIDIED = "tidied"
"""What is noted: when the last look at all folders began."""

AT_ONCE = 200
"""Folders that are looked at between two rests."""

REST = 0.2
"""Seconds: with many thousands of executions that takes minutes, and nothing waits for it."""


async def tidy(
    store: Store,
    snapshots: AnySnapshots,
    is_open: Callable[[str], bool],
    log: logging.Logger | logging.LoggerAdapter[Any],
) -> None:
    """Look once through all folders that have changed since the last time, while others work.

    An execution that ``is_open`` may be saved at any moment.
    """
    try:
        began = await asyncio.to_thread(snapshots.mark)
        folders = snapshots.changed(await store.noted(TIDIED))
        while names := await asyncio.to_thread(lambda: list(islice(folders, AT_ONCE))):
            used = await store.read(partial(checkpoints.names_used_by, executions=names))
            for name in await asyncio.to_thread(snapshots.untidy, used, began):
                if not is_open(name):
                    await store.at_rest(name, partial(snapshots.tidy, name))
            await asyncio.sleep(REST)
        for shelf in await asyncio.to_thread(snapshots.shelves):
            await asyncio.to_thread(snapshots.sweep, shelf)
        faults.point("start.tidied")
        await store.note(TIDIED, began)
    except (StoreError, OSError) as error:
        log.error("flownb: what a crash left behind is not removed: %s", error)
