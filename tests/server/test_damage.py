"""Kernels that die or freeze, files that rot, disks that fill, clocks that jump: nothing finished is done again."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.support.notebooks import cell
from tests.support.server import Server, step

MARK = "\nwith open('marks', 'a') as file: file.write({!r})\n"
GIGABYTE = 1 << 30


def marks(server: Server) -> str:
    return (server.root / "marks").read_text()


ONCE = """import pathlib
kept['n'].append(2)
tried = pathlib.Path(pd.context.trace_id)
if not tried.exists():
    tried.touch()
"""
DEATHS = {
    "killed": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "KernelDied", "SIGKILL"),
    "segmentation fault": ("import ctypes; ctypes.string_at(0)", "KernelDied", "SIGSEGV"),
    "ended by itself": ("import os; os._exit(3)", "KernelDied", "3"),
    "out of memory": (f"x = bytearray({8 * GIGABYTE})", "MemoryError", ""),
    "deaf to interrupts": (
        "import time\nwhile True:\n    try: time.sleep(60)\n    except KeyboardInterrupt: pass",
        "StepTimeout",
        "300 ms",
    ),
    "frozen": ("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", "StepTimeout", "300 ms"),
}


@pytest.fixture(scope="module")
def server(folders: Callable[[], Path]) -> Iterator[Server]:
    running = Server(folders(), f"--FlowNB.kernel_memory_bytes={4 * GIGABYTE}").start()
    yield running
    running.close()


@pytest.mark.parametrize("death", DEATHS)
def test_a_kernel_that_is_lost_costs_its_step_alone(server: Server, death: str) -> None:
    """Without ``retry`` the execution fails of it; with one, the next attempt has the variables as they were."""
    harm, reason, said = DEATHS[death]
    (server.root / "marks").unlink(missing_ok=True)
    first = "kept = {'n': [1]}; again = kept['n']" + MARK.format("a")
    limit = "#| timeout: 300ms\n" if reason == "StepTimeout" else ""
    source = limit + ONCE + textwrap.indent(harm, "    ")
    plain = server.run(first, cell(source, "dies"), "'never'")
    retried = server.run(first, cell("#| retry: {max: 1, first: 1ms}\n" + source, "dies"), "[kept, again is kept['n']]")
    failed = server.wait(plain, "failed")
    assert (failed["reason"], step(failed, "dies")["status"]) == (reason, "failed")
    assert said in failed["error"]["evalue"]
    done = server.wait(retried, "succeeded")
    assert done["steps"][2]["exports"]["$return_value"] == [{"n": [1, 2]}, True]
    assert (step(done, "dies")["runs"], step(done, "dies")["attempts"]) == (1, 2)
    assert marks(server) == "aa"


def test_a_kernel_killed_while_it_is_kept_warm_is_replaced(server: Server) -> None:
    execution = server.run(
        "import os\nkept = [os.getpid()]", "pd.export('pid', os.getpid()); pd.flow.suspend();", "kept"
    )
    pid = server.wait(execution, "suspended")["steps"][1]["exports"]["pid"]
    os.kill(pid, 9)
    assert server.post(execution, "resume").status_code == 200
    assert server.wait(execution, "succeeded")["steps"][2]["exports"]["$return_value"] == [pid]


def _cut(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 2)


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


HARMS: dict[str, Callable[[Path], None]] = {"cut": _cut, "flip": _flip, "delete": Path.unlink}
MADE = "text = 'x' * 200_000; numbers = list(range(50_000)); import os; noise = os.urandom(300_000); same = noise"
LOOKED = "[len(text), sum(numbers), len(noise), same is noise]"


def test_no_damage_to_any_file_goes_unnoticed(make_server: Callable[..., Server]) -> None:
    """Each file of a checkpoint is cut short, altered and deleted in turn: the execution fails, or needs it not."""
    server = make_server("--FlowNB.warm_seconds=0", "--FlowNB.pool_size=0", "--FlowNB.max_running=2").start()
    cells = (MADE + MARK.format("."), cell("less = text[1:]\npd.flow.suspend()", "ask"), LOOKED)
    first = server.run(*cells)
    server.wait(first, "suspended")
    cases = list(product(range(len(_files(server, first))), HARMS))
    executions = [server.run(*cells) for _ in cases]
    for execution, (place, harm) in zip(executions, cases, strict=True):
        server.wait(execution, "suspended")
        HARMS[harm](_files(server, execution)[place])
        assert server.post(execution, "resume").status_code == 200
    reasons = [_reason(server, execution) for execution in executions]
    assert {"snapshot_damaged", "checkpoint_missing"} <= set(reasons)
    for reason, (_, harm) in zip(reasons, cases, strict=True):
        assert reason in (None, "snapshot_damaged", "checkpoint_missing" if harm == "delete" else None)
    assert marks(server) == "." * (len(cases) + 1)


def _files(server: Server, execution: str) -> list[Path]:
    return sorted(file for file in (server.root / ".flownb/snapshots" / execution).rglob("*") if file.is_file())


def _reason(server: Server, execution: str) -> str | None:
    done = server.wait(execution, "failed", "succeeded")
    if done["status"] == "succeeded":
        assert done["steps"][2]["exports"]["$return_value"] == [200_000, 1_249_975_000, 300_000, True]
    reason: str | None = done["reason"]
    return reason


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """A small file system in place of a folder."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    folder.mkdir(parents=True, exist_ok=True)
    if os.system(f"mount -t tmpfs -o size={size} tmpfs {folder}") != 0:
        pytest.skip("a small file system cannot be mounted here")
    try:
        yield
    finally:
        os.system(f"umount -l {folder}")


def test_a_checkpoint_that_finds_no_room_costs_no_result(make_server: Callable[..., Server]) -> None:
    """The step has its result and the next ones run; only where variables have to be had back they are missed."""
    server = make_server("--FlowNB.warm_seconds=0")
    with small_disk(server.root / ".flownb" / "snapshots", "2m"):
        server.start()
        large = "import os; noise = os.urandom(5_000_000); pd.export('made', len(noise))" + MARK.format(".")
        smaller = server.run(large, "del noise; kept = 'kept'", "pd.flow.suspend()", "kept")
        missed = server.run(large, "pd.flow.suspend()", "len(noise)")
        for execution in (smaller, missed):
            waiting = server.wait(execution, "suspended")
            assert waiting["steps"][0]["exports"] == {"made": 5_000_000}
            assert any("could not be saved" in warning for warning in waiting["warnings"])
            assert server.post(execution, "resume").status_code == 200
        done = server.wait(smaller, "succeeded")
        assert done["steps"][3]["exports"]["$return_value"] == "kept"
        failed = server.wait(missed, "failed")
        assert (failed["reason"], "No space left" in failed["error"]["evalue"]) == ("checkpoint_missing", True)
        assert marks(server) == ".."
        server.stop()


def test_timers_are_right_however_the_clock_is_set(make_server: Callable[..., Server]) -> None:
    """Set back by hours and forward again, with a restart between: never early, never twice, never lost."""
    server = make_server(moving_clock=True).start()
    hour = 3_600_000
    waits = [
        server.run(cell(f"if pd.context.run.runs == 1: pd.flow.rerun({hour})", "w"), cell(MARK.format("r"), "next")),
        server.run(cell(f"pd.flow.delay({2 * hour})", "w"), cell(MARK.format("d"), "next")),
        server.run(cell(f"pd.flow.suspend({3 * hour})", "w"), cell(MARK.format("s"), "next")),
    ]
    for execution in waits:
        server.wait(execution, "suspended")
    hang = "import time, pathlib\nwhile not pathlib.Path('go').exists(): time.sleep(.01)" + MARK.format("g")
    running = server.run(cell(hang, "hangs"), cell("pd.flow.delay(1000)", "w"), cell(MARK.format("n"), "next"))
    server.wait(running, "running")
    server.advance(hours=-12)
    (server.root / "go").touch()
    assert server.wait(running, "suspended")["compute_ms"] < hour
    server.advance(seconds=2)
    server.wait(running, "succeeded")
    server.kill()
    server.start()
    server.advance(hours=12, minutes=30)
    assert _statuses(server, waits) == ["suspended"] * 3
    for place in range(3):
        server.advance(hours=1)
        server.wait(waits[place], "succeeded")
        server.advance(hours=-5)
        assert _statuses(server, waits) == ["succeeded"] * (place + 1) + ["suspended"] * (2 - place)
        server.advance(hours=5)
    assert marks(server) == "gnrds"
    fired = [
        move for told in server.replay().values() for move in told.journal if type(move.event).__name__ == "TimerFired"
    ]
    assert len(fired) == 4


def _statuses(server: Server, executions: list[str]) -> list[Any]:
    return [server.get(execution)["status"] for execution in executions]
