"""What is done after a start, before anybody asks for it."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from flownb.bridge.port import Kernels
from flownb.core.errors import FlowNBError
from flownb.core.model import Status
from flownb.store import queries
from flownb.store.store import Store


async def expect_what_waits(store: Store, kernels: Kernels) -> None:
    """The execution that began last among those that wait says of what kind the first kernel will most likely be."""
    with suppress(FlowNBError):  # whoever resumes it learns what is wrong
        waiting, _ = await store.read(partial(queries.ids, limit=1, status=Status.SUSPENDED))
        for execution_id in waiting:
            workflow = await store.pinned(await store.get(execution_id))
            await kernels.expect(workflow.kernelspec)
