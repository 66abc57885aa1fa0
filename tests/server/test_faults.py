"""The server dies at every point where that could matter, and nothing is lost or done twice."""

from __future__ import annotations

import ast
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flownb import faults
from tests.support.mailbox import Mailbox
from tests.support.server import REPOSITORY, Server
from tests.support.service import Service, counting_service
from tests.support.workload import Workload

TIMES = {"commit.before": (1, 20), "commit.after": (1, 20)}
"""How often some points are passed before the server dies; once the others."""

TOGETHER = 2
"""Lives of one server, each of which ends at another point: the next one recovers what it left, and dies in turn.

With a third, a step might be lost three times in a row, and its execution had to fail.
"""


def lives() -> list[tuple[str, ...]]:
    """All points, in groups; those of a start come last, where there is something to recover."""
    points = [*faults.IN_A_SERVER, *(f"{point}@server" for point in faults.IN_A_KERNEL)]
    ends = [f"{point}:{times}" for point in points for times in TIMES.get(point, (1,))]
    ends.sort(key=lambda end: end.startswith("start"))
    groups = -(-len(ends) // TOGETHER)
    return [tuple(ends[place::groups]) for place in range(groups)]


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with counting_service() as counting:
        yield counting


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    mailbox = Mailbox().start()
    yield mailbox
    mailbox.stop()


@pytest.mark.parametrize("ends", lives(), ids=", ".join)
def test_a_server_dies_at_one_point_after_the_other(
    make_server: Callable[..., Server], service: Service, mailbox: Mailbox, ends: tuple[str, ...]
) -> None:
    server = make_server("--FlowNB.max_running=3", "--FlowNB.pool_size=0", *mailbox.settings)
    server.environment |= mailbox.environment
    work = Workload(server, service, 1)
    for end in ends:
        work.add(1)
        die_at(end, server, work)
    del server.environment[faults.VARIABLE]
    server.start()
    work.complete()
    record = work.check()
    assert {told.execution.status for told in record.values()} == {"succeeded"}
    server.until(lambda: {mail["Subject"] for mail in mailbox.mails} == set(record))
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == len(record)


def die_at(end: str, server: Server, work: Workload) -> None:
    """A life of the server, at work, to its end at a point; for one of a stop, it is stopped while a step runs."""
    server.environment[faults.VARIABLE] = end
    server.launch()
    server.until(lambda: server.died or work.attend() or (end.startswith("stop") and work.running))
    if not server.died:
        server.stop()
    assert server.died == -signal.SIGKILL, f"{end} was never passed"


def named_in_the_code() -> list[str]:
    files = [file for file in Path(REPOSITORY, "flownb").rglob("*.py") if file.name != "faults.py"]
    calls = [node for file in files for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    points = [call for call in calls if ast.unparse(call.func) == "faults.point"]
    return [ast.literal_eval(call.args[0]) for call in points]


def test_every_point_is_declared_and_stands_in_one_place_of_each_way() -> None:
    """What a kernel writes goes to a folder or elsewhere, at the same points."""
    named = Counter(named_in_the_code())
    assert sorted(named) == sorted({**faults.IN_A_SERVER, **faults.IN_A_KERNEL, **faults.IN_CARE})
    assert {point for point, places in named.items() if places > 1} == {"checkpoint.aside", "checkpoint.blob"}


@pytest.mark.parametrize("said", ["no.such.point", "commit.after@elsewhere", "commit.after:often"])
def test_a_point_that_is_not_there_is_an_error_at_once(said: str) -> None:
    command = [sys.executable, "-c", "import flownb.faults"]
    ended = subprocess.run(command, env={faults.VARIABLE: said}, cwd=REPOSITORY, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "ValueError" in ended.stderr
