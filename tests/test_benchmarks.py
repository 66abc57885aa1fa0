"""The benchmark's figures are right, and a small run tells all that it should; how fast anything was is not asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks import contests, report
from benchmarks.contest import Contest, Goal, Series, hold
from benchmarks.contests import whole
from benchmarks.environments import PINS, Environments, NotInstalled
from benchmarks.figures import blocks, compare, percentile, summary
from benchmarks.growth.growth import Growth, Measured, measure
from benchmarks.hooks.load import Load
from benchmarks.hooks.load import measure as measure_hooks
from benchmarks.notebooks import write
from benchmarks.participant import Bench, Participant, Round
from benchmarks.plots import draw
from benchmarks.worker import Worker, WorkerFailed

REPOSITORY = Path(__file__).parents[1]


def test_a_summary_has_the_middle_and_the_ends() -> None:
    found = summary([(place, value) for place, value in enumerate([5.0, 1.0, 2.0, 100.0])])
    assert (found.median, found.p99, found.minimum, found.maximum, found.n) == (3.5, 100.0, 1.0, 100.0, 4)
    with pytest.raises(ValueError, match="no sample"):
        summary([])


def test_a_percentile_is_one_of_the_values() -> None:
    ordered = [float(value) for value in range(1, 201)]
    assert [percentile(ordered, percent) for percent in (0, 1, 50, 99, 100)] == [1.0, 2.0, 100.0, 198.0, 200.0]
    assert percentile([7.0], 99) == 7.0


def test_blocks_are_all_rounds_in_order() -> None:
    assert blocks(3) == [range(1), range(1, 2), range(2, 3)]
    assert [len(block) for block in blocks(30)] == [6] * 5
    assert [number for block in blocks(17) for number in block] == list(range(17))


def test_the_spread_of_a_ratio_is_that_of_its_blocks() -> None:
    ours = [(number, 1.0 if number < 2 else 3.0) for number in range(10)]
    theirs = [(number, 2.0) for number in range(10)]
    found = compare(ours, theirs)
    assert (found.ratio, found.lowest, found.highest) == (1.5, 0.5, 1.5)


def test_a_block_in_which_one_was_left_out_is_passed_over() -> None:
    found = compare([(number, float(1 + number)) for number in range(10)], [(4, 10.0)])
    assert (found.lowest, found.highest) == (0.55, 0.55)  # of the block with rounds 4 and 5
    alone = compare([(0, 1.0), (1, 1.0)], [(9, 2.0)])
    assert (alone.ratio, alone.lowest, alone.highest) == (0.5, 0.5, 0.5)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, Environments(tmp_path, here=True), quick=False)


RATES = {"theirs": [4.0, 6.0], "ours": [1.0, 3.0]}


class Taking:
    """A participant's side whose rounds take so long, or fail."""

    def __init__(self, *values: float | Exception) -> None:
        self._values = list(values)
        self.left = False

    def __call__(self, bench: Bench) -> Taking:
        return self

    def __enter__(self) -> Round:
        return self._once

    def __exit__(self, *raised: object) -> None:
        self.left = True

    def _once(self) -> float:
        value = self._values.pop(0)
        if isinstance(value, Exception):
            raise value
        return value


def test_all_take_turns_and_one_that_fails_is_told_and_left_out(bench: Bench) -> None:
    ours, theirs = Taking(9, 1, 2, 3), Taking(9, 10, RuntimeError("it broke"))
    rare = Taking(9, 7, 7)
    contest = Contest(
        "name",
        "Title",
        "ms",
        (Goal("ours", "theirs", 0.2), Goal("ours", None, 1.5), Goal("ours", "theirs", 0.1, at_least=True)),
        (Participant("ours", ours), Participant("theirs", theirs), Participant("rare", rare, every=2)),
        rounds=3,
        quick=1,
    )
    said: list[str] = []
    held = hold(contest, bench, said.append)
    assert [result.samples for result in held.results] == [
        [(0, 1.0), (1, 2.0), (2, 3.0)],
        [(0, 10.0)],
        [(0, 7.0), (2, 7.0)],
    ]
    assert held.results[1].failure == "RuntimeError: it broke"
    turns = [line.split(": ")[1] for line in said if "gets ready" not in line]
    assert turns == ["ours", "theirs", "rare"] * 2 + ["ours", "ours", "rare"]
    assert ours.left
    assert theirs.left
    goals = report.contest(held)["goals"]
    assert [(goal["ratio"], goal["reached"]) for goal in goals] == [(0.2, True), (2.0, False), (0.2, True)]


def test_a_peer_that_is_not_there_is_in_the_table(bench: Bench) -> None:
    def missing(bench: Bench) -> Any:
        raise NotInstalled("no such | package")

    contest = Contest("name", "Title", "ms", (Goal("theirs", None, 1),), (Participant("theirs", missing),), 1, 1)
    found = report.contest(hold(contest, bench, lambda text: None))
    assert found["goals"][0]["reached"] is None
    text = _markdown([found], [])
    assert "| theirs | – | – | – | – | 0 |" in text
    assert "- theirs: NotInstalled: no such | package" in text
    assert "not measured" in text


def test_what_measures_by_itself_may_fail_too(bench: Bench) -> None:
    goals = (Goal("ours", "theirs", 0.4, at_least=True),)
    found = hold(Series("name", "Title", "1/s", goals, ("ours", "theirs"), lambda bench: RATES), bench, print)
    assert [result.samples for result in found.results] == [[(0, 1.0), (1, 3.0)], [(0, 4.0), (1, 6.0)]]
    assert report.contest(found)["goals"][0]["reached"] is True

    def broken(bench: Bench) -> Any:
        raise OSError("no space")

    found = hold(Series("name", "Title", "1/s", goals, ("ours", "theirs"), broken), bench, print)
    assert [result.failure for result in found.results] == ["OSError: no space"] * 2


def test_what_a_peers_process_raises_is_known_here(tmp_path: Path) -> None:
    with Worker(Path(sys.executable), "with_nbclient", tmp_path / "w") as worker:
        with pytest.raises(WorkerFailed, match="No such file"):
            worker.ask("whole", notebook=str(tmp_path / "none.ipynb"), target="out.ipynb")
        with pytest.raises(WorkerFailed, match="KeyError: 'unheard'"):
            worker.ask("unheard")
        pid = worker.pid
    with pytest.raises(ProcessLookupError):
        os.killpg(pid, 0)
    absent = Worker(Path(sys.executable), "no_such_peer", tmp_path / "v")
    with absent, pytest.raises(WorkerFailed, match="no_such_peer"):
        absent.ask("whole")


def test_a_peer_that_is_not_asked_is_stopped(tmp_path: Path) -> None:
    write(tmp_path / "none.ipynb")
    with Worker(Path(sys.executable), "with_nbclient", tmp_path / "w") as worker:
        assert worker.ask("whole", notebook=str(tmp_path / "none.ipynb"), target=str(tmp_path / "out.ipynb")) > 0
        os.waitid(os.P_PID, worker.pid, os.WSTOPPED | os.WNOWAIT)  # returns once it is


def test_an_environment_that_cannot_be_made_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PINS, "dbos", (str(tmp_path / "no-such-package"),))
    with pytest.raises(NotInstalled, match="no-such-package"):
        Environments(tmp_path).python("dbos")


def test_growth_is_measured_tabled_and_drawn(bench: Bench, tmp_path: Path) -> None:
    def growing(bench: Bench) -> AbstractContextManager[Measured]:
        return nullcontext(lambda size: {"half": size / 2, "twice": size * 2.0})

    def breaking(bench: Bench) -> AbstractContextManager[Measured]:
        return nullcontext(lambda size: {"once": 1 / (size < 100)})

    growth = Growth("grown", "Cost", "cells", "ms", (10, 100, 100_000), 1, 2, (growing, breaking))
    found = measure(growth, bench, lambda text: None)
    assert [(curve["name"], curve["points"]) for curve in found["curves"]] == [
        ("half", [(10, 5.0), (100, 50.0), (100_000, 50_000.0)]),
        ("twice", [(10, 20.0), (100, 200.0), (100_000, 200_000.0)]),
        ("once", [(10, 1.0)]),
    ]
    text = _markdown([], [found])
    assert "| 100,000 | 50,000 | 200,000 | – |" in text
    assert "ZeroDivisionError" in text
    draw([found], tmp_path / "plots")
    drawing = (tmp_path / "plots" / "grown.svg").read_text()
    assert ElementTree.fromstring(drawing).tag.endswith("svg")
    assert all(word in drawing for word in ("half", "twice", "100 k", "cells"))


def _markdown(contests_: list[report.Found], growth: list[report.Found]) -> str:
    machine = {
        "cores": 2,
        "memory_gb": 1.0,
        "system": "Linux",
        "python": "3.11",
        "sqlite": "3.40",
        "versions": {},
        "peers": {},
    }
    found = {"machine": machine, "began": "2026-11-23T00:00", "quick": False, "seconds": 1.0, "load": (0.0, 0.0)}
    return report.markdown({**found, "contests": contests_, "growth": growth})


@pytest.mark.slow
def test_a_quick_run_writes_all_that_it_found(tmp_path: Path) -> None:
    """flownb and nbclient are there; a peer that this environment has not got is told as such."""
    files = {"json": tmp_path / "found.json", "markdown": tmp_path / "found.md"}
    command = [sys.executable, "-m", "benchmarks", "--quick", "--installed", "--only", "kernel-start", "ten-cells"]
    command += [part for option, file in files.items() for part in (f"--{option}", str(file))]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    text = files["markdown"].read_text()
    assert text.startswith(report.QUICK)
    assert done.stdout.strip() == text.strip()
    found = json.loads(files["json"].read_text())
    assert {"machine", "began", "quick", "seconds", "load", "contests", "growth"} == set(found)
    assert found["machine"]["cores"] == os.cpu_count()
    held = {one["name"]: one for one in found["contests"]}
    assert list(held) == ["kernel-start", "ten-cells"]
    for name, one in held.items():
        (contest,) = (contest for contest in contests.ALL if contest.name == name)
        assert isinstance(contest, Contest)
        assert [who["name"] for who in one["participants"]] == [who.name for who in contest.participants]
        for who in one["participants"]:
            if who["name"].startswith(("flownb", "nbclient", "jupyter_client")):
                assert who["failure"] is None, who
            assert (who["figures"] is None) == (who["failure"] is not None), who
            assert who["name"] in text
        for goal in one["goals"]:
            assert (goal["reached"] is None) == (goal["ratio"] is None)
    assert held["kernel-start"]["goals"][0]["ratio"] > 0
    assert held["ten-cells"]["goals"][1]["ratio"] > 0


def test_a_notebook_is_run_for_the_clock(bench: Bench) -> None:
    """One side of one contest, one round; all of a quick run is slow."""
    (theirs,) = (one for one in whole.CONTEST.participants if one.name == whole.NBCLIENT)
    short = replace(whole.CONTEST, participants=(theirs,), rounds=1, goals=(), warm_up=False)
    (result,) = hold(short, bench, lambda text: None).results
    assert result.failure is None
    assert [milliseconds > 0 for _, milliseconds in result.samples] == [True]


def test_hooks_under_load_lose_no_event_refuse_what_is_too_much_and_keep_the_order() -> None:
    found = measure_hooks(Load(rate=60, seconds=2, workflows=5, queue=5, enough=12))
    assert set(found["codes"]) == {200, 429}
    assert sum(found["codes"].values()) == 120
    assert (found["accepted"], found["lost"]) == (found["stored"], 0)
    assert found["ran"] > 1
    assert found["ordered"] > 1
    faults = ("wrong", "out_of_order", "overlapping", "over_limit")
    assert {fault: found[fault] for fault in faults} == dict.fromkeys(faults, 0)
