"""How long do the console's pages take where there are 100,000 executions?

``python -m benchmarks.console [EXECUTIONS]``. The database is filled by the store's own functions in one transaction;
then a real server serves the pages, and each is asked for 20 times.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx

from flownb.core import events, transitions
from flownb.core.model import Action, Checkpoint, Error, Execution, PauseKind, Step
from flownb.store import aggregate
from flownb.store.folder import DataFolder
from flownb.store.sqlite import SqliteConnection, open_database
from tests.support.server import Server

START = round(time.time() * 1000) - 10 * 86_400_000
YEAR = 366 * 86_400_000
STEPS = ("load", "clean", "fit", "ask", "publish")
WORKFLOWS = 40
TIMES = 20
SAVED = Checkpoint(None, why="a benchmark keeps none")


def main(executions: int) -> None:
    with tempfile.TemporaryDirectory(prefix="fb") as name:
        root = Path(name) / "root"
        root.mkdir()
        folder = DataFolder(root / ".flownb")
        folder.make()
        began = time.monotonic()
        fill(folder.database, executions)
        print(f"{executions:,} executions made in {time.monotonic() - began:.0f} s")
        server = Server(root, "--FlowNB.pool_size=0").start()
        try:
            measure(server, executions)
        finally:
            server.stop()
            server.http.close()


def fill(path: Path, executions: int) -> None:
    db = open_database(path, "WAL")
    with db.conn:
        db.table("versions").insert({"version": "v1", "content": '{"cells": []}', "created_at": START})
        for number in range(executions):
            _store(db, number)
    db.close()


def _store(db: SqliteConnection, number: int) -> None:
    """Of ten executions six succeed, two fail, one is cancelled and one waits; one in 10,000 has a rare name."""
    workflow = "rare/needle.ipynb" if number % 10_000 == 77 else f"team-{number % 7}/report-{number % WORKFLOWS}.ipynb"
    execution = Execution(
        id=f"{number:012x}",
        workflow=workflow,
        notebook=workflow,
        version="v1",
        trigger={"type": "api", "event": {"body": {"days": number % 30}}},
        created_at=START + number * 1_000,
        steps=tuple(Step(name, f"cell-{name}") for name in STEPS),
    )
    for place, event in enumerate(_story(number), 1):
        execution = transitions.apply(execution, event, execution.created_at + 10 * place).execution
    aggregate.insert(db, execution)
    aggregate.save(db, replace(execution, pause=None, past=()), execution)


def _story(number: int) -> Iterator[events.Event]:
    yield events.Admitted()
    yield events.StepStarted()
    kind = number % 10
    if kind == 0:
        pause = events.PauseCall(PauseKind.SUSPEND, YEAR, reason=f"Is report {number} right?")
        yield events.StepFinished({}, SAVED, 10, (pause,))
    elif kind == 1:
        yield events.RequestArrived(Action.CANCEL)
    elif kind < 4:
        yield events.StepFailed(Error("ValueError", f"no rows in report {number}", ("its line",) * 20), 10)
    else:
        for _ in STEPS:
            yield events.StepFinished({"rows": number}, SAVED, 10)


def measure(server: Server, executions: int) -> None:
    """Seconds of each page, as its reader waits for it."""
    deep = f"{executions // 20:012x}"
    pages = {
        "overview": "",
        "first page": "executions",
        "deep page": f"executions?before={deep}",
        "one status": "executions?status=failed",
        "one status, deep": f"executions?status=failed&before={deep}",
        "one workflow": "executions?workflow=rare%2Fneedle.ipynb",
        "one kind of pause": "executions?kind=suspend",
        "a kind that there is not": "executions?kind=rerun",
        "search, rare": "executions?search=needle",
        "search, one id": f"executions?search={deep}",
        "search, in vain": "executions?search=nothing-has-this",
        "search, everywhere": "executions?search=report",
        "search, everywhere, deep": f"executions?search=report&before={deep}",
        "search and status": "executions?search=team-3&status=cancelled",
        "inbox": "inbox",
        "workflows": "workflows",
        "one execution": f"executions/{deep}",
    }
    base = server.api.removesuffix("api")
    print(f"{'page':26} {'median':>9} {'longest':>9} {'size':>8}")
    for what, path in pages.items():
        times, answer = [], server.http.get(base + path)
        for _ in range(TIMES):
            began = time.perf_counter()
            answer = server.http.get(base + path)
            times.append(time.perf_counter() - began)
        assert answer.status_code == httpx.codes.OK, f"{path}: {answer.text}"
        told = (statistics.median(times) * 1000, max(times) * 1000, len(answer.content) / 1000)
        print(f"{what:26} {told[0]:6.1f} ms {told[1]:6.1f} ms {told[2]:5.0f} kB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
