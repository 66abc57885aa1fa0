"""Which executions that wait could not go on with another Python, or with other versions of their libraries."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager

from flownb import __version__
from flownb.bridge.kernel_side import KernelSide
from flownb.core.jsonvalue import dumps
from flownb.core.model import Checkpoint, Execution, Json, Status
from flownb.server.interpreters import Interpreter, NoAnswer, of_kernelspec
from flownb.store import checkpoints, queries
from flownb.store.snapshots import AnySnapshots
from flownb.store.store import NotFound, Store

WAITING = (Status.SUSPENDED, Status.QUEUED)
AT_ONCE = min(4, os.cpu_count() or 1)
"""Processes: each has the variables of an execution in memory."""

PROBE = "import sys; sys.path.append(sys.argv.pop(1)); from flownb.kernel.probe import main; main()"
"""As in a kernel, what is installed there comes before our archive."""


@dataclass(frozen=True)
class Visit:
    """One examination: the interpreter that was named, if one was, and Jupyter's kernelspecs."""

    named: Interpreter | None
    kernelspecs: KernelSpecManager

    def interpreter(self, kernelspec: str) -> Interpreter:
        """Raises ``NoAnswer``."""
        return self.named or of_kernelspec(kernelspec, self.kernelspecs)


class Doctor:
    """Reads checkpoints in processes that do nothing else; no execution notices."""

    def __init__(self, store: Store, snapshots: AnySnapshots, side: KernelSide, root: Path, memory: int | None) -> None:
        """``memory``, in bytes, is the most that a kernel may allocate."""
        self._store = store
        self._snapshots = snapshots
        self._side = side
        self._root = root
        self._memory = memory
        self._free = asyncio.Semaphore(AT_ONCE)

    async def examine(self, python: str | None, kernelspecs: KernelSpecManager) -> dict[str, Json]:
        """What the API answers: each execution that waits, tried with the Python at that path, or with its kernelspec.

        Raises ``InvalidValue`` where there is no Python at the path.
        """
        named = Interpreter([python]) if python is not None else None
        if named is not None:
            await named.version()
        visit = Visit(named, kernelspecs)
        waiting = [await self._store.read(partial(queries.with_status, status=status)) for status in WAITING]
        found = await asyncio.gather(*(self._examined(each, visit) for ids in waiting for each in ids))
        size = await asyncio.to_thread(self._snapshots.size)
        return {"python": python, "executions": [each for each in found if each is not None], "disk_bytes": size}

    async def _examined(self, execution_id: str, visit: Visit) -> dict[str, Json] | None:
        """None where there is nothing to read, or it is no longer what the execution needs."""
        async with self._free:
            try:
                execution = await self._store.get(execution_id)
                if execution.checkpoint is None:
                    return None
                reason, changed = await self._tried(execution, execution.checkpoint, visit)
                now = await self._store.get(execution_id)
            except NotFound:
                return None
        if now.checkpoint != execution.checkpoint or now.status not in (*WAITING, Status.RUNNING):
            return None
        return {
            "id": execution.id,
            "workflow": execution.workflow,
            "step": execution.step.name if execution.step else None,
            "status": "stranded" if reason else "ok",
            "reason": reason,
            "changed": changed,
        }

    async def _tried(self, execution: Execution, checkpoint: Checkpoint, visit: Visit) -> tuple[str | None, Json]:
        """Why it cannot be read, if so; and the versions that differ, before and now."""
        if checkpoint.file is None:
            return f"it has no checkpoint: {checkpoint.why}", {}
        workflow = await self._store.pinned(execution)
        made_with = await self._made_with(execution.id, checkpoint)
        try:
            interpreter = visit.interpreter(workflow.kernelspec)
            version = await interpreter.version()
            if (before := made_with.get("python", version)).rpartition(".")[0] != version.rpartition(".")[0]:
                reason = f"it was written by Python {before}, and only that minor version reads it: this is {version}"
                return reason, {"python": [before, version]}
            told = self._told(execution, checkpoint, bool(workflow.setup), list(made_with))
            archive = await asyncio.to_thread(self._side.zip)
            answer = json.loads(await interpreter.answer("-c", PROBE, str(archive), dumps(told)))
        except NoAnswer as error:
            return str(error), {}
        now = answer["packages"]
        changed: Json = {name: [was, now[name]] for name, was in made_with.items() if was != now[name]}
        if answer["version"] != __version__:
            return f"flownb is {answer['version']} there, and {__version__} in the server", changed
        return answer["reason"], changed

    async def _made_with(self, execution_id: str, checkpoint: Checkpoint) -> dict[str, str]:
        kept = await self._store.read(partial(checkpoints.of_execution, execution_id=execution_id))
        return next((one.packages for one in kept if one.checkpoint.file == checkpoint.file), {})

    def _told(self, execution: Execution, checkpoint: Checkpoint, setup: bool, packages: list[str]) -> Json:
        """What ``flownb.kernel.probe`` is to know."""
        assert checkpoint.file is not None
        return {
            "prepare": {
                "cwd": str((self._root / execution.notebook).parent),
                "environment": {},
                "memory_limit": self._memory,
                "bind_pd": True,
                "nice": 0,
            },
            "place": dumps(self._snapshots.told(execution.id)),
            "file": checkpoint.file,
            "digest": checkpoint.digest,
            "setup": setup,
            "packages": packages,
        }
