"""Writes the executed notebook of each execution where people see it, at every pause and at the end."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from flownb import faults
from flownb.core.model import Execution, Json, Status
from flownb.server.executed import executed_notebook
from flownb.server.observing.logs import about
from flownb.store import queries
from flownb.store.store import Change, NotFound, Store
from flownb.store.writer import StoreError

RECORDED = "recorded"
"""What is noted: up to where in the journal the executed notebooks have been written."""


async def record(store: Store, execution: Execution, *live: queries.StepOutputs) -> Json:
    """The executed notebook as it stands."""
    content = (await store.pinned(execution)).content
    outputs = await store.read(partial(queries.outputs, execution_id=execution.id))
    latest = {found.attempt: found for found in [*outputs, *live]}  # a step under way may be a repeat after a crash
    pauses = await store.read(partial(queries.pauses, execution_id=execution.id))
    return await asyncio.to_thread(executed_notebook, execution, content, latest.values(), pauses)


class Recorder:
    """One task that follows the changes, off the path of running."""

    def __init__(self, store: Store, runs: Path | None, log: logging.Logger | logging.LoggerAdapter[Any]) -> None:
        self._store = store
        self._runs = runs
        self._log = log
        self._waiting: dict[str, None] = {}
        self._heard = 0
        self._some = asyncio.Event()

    def hear(self, change: Change) -> None:
        """A listener of the store: every pause, every end and every move to another version is written."""
        before = change.before.status if change.before is not None else None
        status = change.after.status
        self._heard = change.seq
        moved = change.before is not None and change.before.version != change.after.version
        if moved or (status is not before and (status is Status.SUSPENDED or status.final)):
            self._waiting[change.after.id] = None
            self._some.set()

    async def catch_up(self) -> None:
        """Take up what a server before this one had no time to write."""
        self._heard = await self._store.noted(RECORDED)
        missed = await self._store.read(partial(queries.paused_or_ended, after=self._heard))
        self._waiting.update(dict.fromkeys(missed))
        if missed:
            self._some.set()

    async def run(self) -> None:
        """Run until cancelled; what waits then is written first."""
        try:
            while True:
                await self._some.wait()
                await self._write_waiting()
        finally:
            await self._write_waiting()

    async def _write_waiting(self) -> None:
        self._some.clear()
        written = self._heard
        while self._waiting:
            execution_id = next(iter(self._waiting))
            del self._waiting[execution_id]
            try:
                await self._write(await self._store.get(execution_id))
            except asyncio.CancelledError:
                self._waiting[execution_id] = None
                raise
            except NotFound:
                continue
            except (OSError, StoreError) as error:
                self._log.error(
                    "flownb: the executed notebook of %s is not written: %s",
                    execution_id,
                    error,
                    extra=about(execution_id),
                )
            except Exception:  # an error of our own costs this notebook, not those after it
                self._log.exception(
                    "flownb: the executed notebook of %s is not written", execution_id, extra=about(execution_id)
                )
        faults.point("notebook.written")
        with suppress(StoreError):
            await self._store.note(RECORDED, written)

    async def _write(self, execution: Execution) -> None:
        if self._runs is not None:
            notebook = await record(self._store, execution)
            await asyncio.to_thread(_replace, self._runs / f"{file_stem(execution)}.ipynb", notebook)


def file_stem(execution: Execution) -> str:
    """Readable, and safe on every file system."""
    stem = re.sub(r"[^\w.-]+", "-", Path(execution.notebook).stem).strip("-.") or "notebook"
    return f"{stem}-{execution.id}"


def _replace(path: Path, notebook: Json) -> None:
    """At once or not at all: JupyterLab may have the file open."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8", errors="replace")
    faults.point("notebook.write")
    temporary.replace(path)
