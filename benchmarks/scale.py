"""What do 100,000 suspended executions cost one server: its start, its memory, its answers, its timers?

``python -m benchmarks.scale [--executions 100000] [--json FILE]``. A server without executions is measured beside it.
1,000,000 take some minutes to make, 6 GB on disk and 4 million small files.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

import httpx
import psutil

from benchmarks.load import settle
from benchmarks.multiplied import execution_id, make, resume_token, set_timers
from flownb.store import aggregate, queries
from flownb.store.folder import DataFolder
from flownb.store.keys import read_or_make
from flownb.store.sqlite import SqliteConnection
from tests.support.server import Server

STARTS = 5
TIMES = 20
IDLE_SECONDS = 10.0
SETTLE_SECONDS = 2.0
DUE = 10_000
AHEAD_SECONDS = 12.0
"""Before the first timer is due: the server starts meanwhile."""


def measure(executions: int = 100_000) -> dict[str, Any]:
    """Figures of a server with so many suspended executions, and of one with none; see ``main`` for their units."""
    with tempfile.TemporaryDirectory(prefix="fb") as name:
        empty, full = Path(name) / "empty", Path(name) / "full"
        empty.mkdir()
        began = time.monotonic()
        make(full, executions)
        made = time.monotonic() - began
        starts = _starts(empty, full)
        found: dict[str, Any] = {
            "executions": executions,
            "made_seconds": made,
            "database_bytes_each": DataFolder(full / ".flownb").database.stat().st_size / executions,
            "start_seconds": starts,
            "start_more_seconds": statistics.median(starts["full"]) - statistics.median(starts["empty"]),
            "empty": _at_rest(empty),
            "full": _at_rest(full),
            "lookups_us": _lookups(full, executions),
            "timers": _timers(full, min(DUE, executions - 1)),
        }
    found["pss_more_mb"] = found["full"]["pss_mb"] - found["empty"]["pss_mb"]
    found["load_average"] = os.getloadavg()[0]
    return found


def _starts(empty: Path, full: Path) -> dict[str, list[float]]:
    """Seconds from the start of the process to the first answer of flownb's API; the first pair warms up."""
    found: dict[str, list[float]] = {"empty": [], "full": []}
    for number in range(STARTS + 1):
        for which, root in (("empty", empty), ("full", full)):
            with _server(root) as server:
                if number:
                    found[which].append(server.took)
    return found


class _Timed(Server):
    took = 0.0

    def start(self) -> Self:
        began = time.monotonic()
        super().start()
        self.took = time.monotonic() - began
        return self


@contextmanager
def _server(root: Path) -> Iterator[_Timed]:
    server = _Timed(root)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server.http.close()


def _at_rest(root: Path) -> dict[str, Any]:
    """Memory in MB and CPU time while nobody asks, and ms of each list; kernels that are kept ready do not count."""
    with _server(root) as server:
        assert server.process is not None
        process = psutil.Process(server.process.pid)
        time.sleep(SETTLE_SECONDS)
        lists = {what: _ms(partial(_page, server.http, path)) for what, path in _pages().items()}
        settle(process)
        memory, before = process.memory_full_info(), process.cpu_times()
        time.sleep(IDLE_SECONDS)
        idle = sum(process.cpu_times()[:2]) - sum(before[:2])
    return {
        "rss_mb": memory.rss / 1e6,
        "pss_mb": memory.pss / 1e6,
        "idle_cpu_percent": 100 * idle / IDLE_SECONDS,
        "lists_ms": lists,
    }


def _pages() -> dict[str, str]:
    deep = execution_id(1_000)
    return {
        "health": "/health",
        "newest 50": "/executions?limit=50",
        "50 suspended": "/executions?limit=50&status=suspended",
        "50 suspended, deep": f"/executions?limit=50&status=suspended&before={deep}",
        "50 of a kind of pause": "/executions?limit=50&kind=suspend",
        "inbox of the console": "/../inbox",
    }


def _page(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code == httpx.codes.OK, path


def _ms(ask: Callable[[], object]) -> float:
    """Median of some calls, after one that warms up."""
    ask()
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        ask()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def _lookups(root: Path, executions: int) -> dict[str, float]:
    """µs of what the server asks its database, each time of another execution."""
    folder = DataFolder(root / ".flownb")
    with closing(sqlite3.connect(folder.database)) as connection:
        db, key = SqliteConnection(connection, execute_plugins=False), read_or_make(folder.key)
        numbers = iter(range(1, executions - 1))
        asked: dict[str, Callable[[], object]] = {
            "next timer": lambda: queries.next_due(db),
            "100 timers that are due": lambda: queries.due(db, 2**53, 100),
            "link": lambda: queries.link(db, tokens[next(numbers)], key),
            "one execution": lambda: aggregate.load(db, execution_id(next(numbers))),
        }
        tokens = {n: resume_token(folder, n) for n in range(2 * TIMES + 5)}
        return {what: 1000 * _ms(ask) for what, ask in asked.items()}


def _timers(root: Path, count: int) -> dict[str, Any]:
    """Seconds until all that were due within one second were queued, and how long another answer took meanwhile."""
    at = round(1000 * (time.time() + AHEAD_SECONDS))
    set_timers(root, count, at)
    database = DataFolder(root / ".flownb").database.absolute().as_uri()
    with _server(root) as server, closing(sqlite3.connect(f"{database}?mode=ro", uri=True)) as record:
        late = time.time() * 1000 > at
        link = f"http://127.0.0.1:{server.port}/flownb/resume/unknown"
        answers = []
        while _fired(record) < count:
            asked = time.perf_counter()
            assert server.http.post(link).status_code == httpx.codes.NOT_FOUND
            answers.append(1000 * (time.perf_counter() - asked))
            time.sleep(0.05)
        fired = record.execute(
            """SELECT j.at, p.wakes_at FROM journal j JOIN pauses p ON p.execution = j.execution
               WHERE j.event = 'TimerFired' ORDER BY j.seq"""
        ).fetchall()
    due = [wakes_at for _, wakes_at in fired]
    return {
        "count": count,
        "server_was_late": late,
        "lost": count - len(fired),
        "in_order": due == sorted(due),
        "seconds_after_the_first_was_due": (fired[-1][0] - min(due)) / 1000,
        "seconds_after_the_last_was_due": (fired[-1][0] - max(due)) / 1000,
        "longest_other_answer_ms": max(answers),
    }


def _fired(record: sqlite3.Connection) -> int:
    return int(record.execute("SELECT count(*) FROM journal WHERE event = 'TimerFired'").fetchone()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executions", type=int, default=100_000)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = measure(given.executions)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))
    empty, full, timers = found["empty"], found["full"], found["timers"]
    print(f"{found['executions']:,} suspended executions, made in {found['made_seconds']:.0f} s")
    print(f"{'':34} {'none':>9} {'full':>9}")
    starts = {which: statistics.median(times) for which, times in found["start_seconds"].items()}
    print(f"{'start to the first answer':34} {starts['empty']:7.2f} s {starts['full']:7.2f} s")
    for what, unit in (("rss_mb", "MB"), ("pss_mb", "MB"), ("idle_cpu_percent", "%")):
        print(f"{what.rpartition('_')[0]:34} {empty[what]:6.1f} {unit:2} {full[what]:6.1f} {unit:2}")
    for what, ms in full["lists_ms"].items():
        print(f"{what:34} {empty['lists_ms'][what]:6.1f} ms {ms:6.1f} ms")
    for what, us in found["lookups_us"].items():
        print(f"{what:34} {'':9} {us:6.0f} µs")
    print(
        f"{timers['count']:,} timers due within one second: {timers['lost']} lost, "
        f"{'in' if timers['in_order'] else 'out of'} order, all queued "
        f"{timers['seconds_after_the_first_was_due']:.2f} s after the first was due; "
        f"another answer took {timers['longest_other_answer_ms']:.0f} ms at most"
    )


if __name__ == "__main__":
    main()
