"""The workflows of versions that executions are pinned to, parsed once."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

from flownb.core.notebook import Workflow, workflow
from flownb.store import queries
from flownb.store.store import Store

MOST = 200


class Versions:
    """A small cache over the store: a version never changes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: OrderedDict[str, Workflow] = OrderedDict()

    async def find(self, version: str) -> Workflow | None:
        """The workflow of a version; None where no execution is pinned to it."""
        if version not in self._known:
            content = await self._store.read(partial(queries.version, version=version))
            if content is None:
                return None
            self._known[version] = workflow(content)
            if len(self._known) > MOST:
                self._known.popitem(last=False)
        return self._known[version]

    async def get(self, version: str) -> Workflow:
        """The workflow of a version that an execution is pinned to."""
        found = await self.find(version)
        assert found is not None
        return found
