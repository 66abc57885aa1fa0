"""What checkpoints take on disk and for how long, what may change while they wait, and what another attempt is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.notebooks import cell
from tests.support.opened import snapshot_files
from tests.support.server import Server, returned, step

HOUR = 3_600_000
DAY = 86_400


@pytest.fixture(scope="module")
def moving_server(folders: Callable[[], Path]) -> Iterator[Server]:
    running = Server(folders(), "--FlowNB.keep_snapshots_seconds=86400", moving_clock=True).start()
    yield running
    running.close()


def pool(server: Server) -> int:
    """Bytes in the pool."""
    return sum(file.stat().st_size for file in (server.root / ".flownb/snapshots/pool").rglob("*") if file.is_file())


# What an attempt is told of those before it

LAST = {"ename": "ValueError", "evalue": "no 2"}
FLAKY = """#| retry: {max: 2, first: 1h}
pd.export('told', pd.steps['flaky']['$attempt'])
if pd.steps.flaky['$attempt']['count'] < 3: raise ValueError(f"no {pd.steps.flaky['$attempt']['count']}")"""


def test_a_step_that_is_tried_again_knows_how_often_and_why(moving_server: Server) -> None:
    execution = moving_server.run(
        cell("#| retry: 1\npd.export('told', pd.steps['calm']['$attempt'])", "calm"),
        cell(FLAKY, "flaky"),
        cell("1", "plain"),
        cell("['$attempt' in pd.steps[name] for name in ('calm', 'flaky', 'plain')]", "last"),
    )
    for attempt in (1, 2):
        found = moving_server.wait(execution, "suspended")
        last = step(found, "flaky")["last_error"]
        assert (last["ename"], last["evalue"]) == ("ValueError", f"no {attempt}")
        moving_server.advance(hours=2)
        moving_server.until(lambda: step(moving_server.get(execution), "flaky")["attempts"] > attempt)  # noqa: B023
    done = moving_server.wait(execution, "succeeded")
    assert returned(done, "last") == [True, True, False]
    assert step(done, "calm")["exports"]["told"] == {"count": 1, "last_error": None}
    assert step(done, "flaky")["exports"] == {"told": {"count": 3, "last_error": LAST}}


def test_later_steps_know_it_too_also_after_a_restart(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    flaky = FLAKY.replace("1h", "1ms")
    execution = server.run(
        cell(flaky, "flaky"), cell("pd.flow.suspend()", "ask"), cell("pd.steps['flaky']['$attempt']", "later")
    )
    server.until(lambda: (server.get(execution)["waiting"] or {}).get("kind") == "suspend")
    server.kill()
    server.start()
    server.post(execution, "resume")
    assert returned(server.wait(execution, "succeeded"), "later") == {"count": 3, "last_error": LAST}


# What may change while an execution waits


@pytest.mark.parametrize("warm", [0, 3600], ids=["cold", "warm"])
def test_a_local_module_that_changed_during_a_pause_is_named_and_runs_as_it_is_now(
    make_server: Callable[..., Server], warm: int
) -> None:
    server = make_server(f"--FlowNB.warm_seconds={warm}").start()
    helper, other = server.root / "helper.py", server.root / "other.py"
    helper.write_text("def answer():\n    return 'old'\n")
    other.write_text("VALUE = 1\n")
    cells = (
        cell("import helper\nimport other\npd.flow.suspend()", "ask"),
        cell("[helper.answer(), other.VALUE]", "told"),
        cell("helper.answer()", "end"),
    )
    changed, unchanged = server.run(*cells), server.run(*cells)
    for execution in (changed, unchanged):
        server.wait(execution, "suspended")
    server.post(unchanged, "resume")
    done = server.wait(unchanged, "succeeded")
    assert (returned(done, "told"), done["warnings"]) == (["old", 1], [])
    helper.write_text("def answer():\n    return 'entirely new'\n")
    server.post(changed, "resume")
    done = server.wait(changed, "succeeded")
    assert (returned(done, "told"), returned(done, "end")) == (["entirely new", 1], "entirely new")
    (warning,) = done["warnings"]
    assert warning.startswith("local modules changed during the pause after step 'ask': helper;")


# What they take on disk, and for how long

MEGABYTES = 4_000_000
RERUN = f"""import random
large = random.Random(pd.context.run.runs).randbytes({MEGABYTES})
if pd.context.run.runs < 4: pd.flow.rerun({HOUR})"""


def test_what_a_rerun_no_longer_needs_leaves_the_disk(make_server: Callable[..., Server]) -> None:
    server = make_server("--FlowNB.warm_seconds=0").start()
    execution = server.run(cell("kept = b'k' * 100_000", "first"), cell(RERUN, "again"), cell("len(large)", "last"))
    for run in (1, 2, 3):
        server.wait(execution, "suspended", runs=run)
        server.until(lambda: server.get(execution)["disk"]["bytes"] < 2 * MEGABYTES)
        assert MEGABYTES <= pool(server) < 2 * MEGABYTES
        assert [file.name for file in snapshot_files(server, execution) if file.name.startswith("1-")][1:] == []
        server.post(execution, "resume")
    done = server.wait(execution, "succeeded")
    assert returned(done, "last") == MEGABYTES
    assert [(one["step"], one["run"], one["missing"]) for one in server.get(execution)["checkpoints"]] == [
        ("first", 1, None),
        ("again", 4, None),
        ("last", 1, None),
    ]


def test_what_is_the_same_is_on_disk_once(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    source = f"import random\nlarge = random.Random(5).randbytes({MEGABYTES})"
    execution = server.run(cell(source, "a"), cell("more = 1", "b"), cell("pd.flow.suspend()", "c"))
    found = server.wait(execution, "suspended")
    assert MEGABYTES <= found["disk"]["bytes"] < 1.5 * MEGABYTES
    first, second, _ = found["checkpoints"]
    assert (first["stored"] >= MEGABYTES, second["stored"] < MEGABYTES / 10) == (True, True)
    assert min(first["size"], second["size"]) >= MEGABYTES
    plan = {variable["name"]: variable for variable in found["variables"]}
    assert (plan["large"]["status"], plan["large"]["type"], plan["more"]["step"]) == ("kept", "bytes", "b")


def test_snapshots_stay_for_a_time_after_the_end(moving_server: Server) -> None:
    execution = moving_server.run(cell("rows = [1]", "a"), cell("pd.flow.suspend(timeout=40 * 86_400_000)", "b"))
    moving_server.wait(execution, "suspended")
    moving_server.advance(days=30)
    moving_server.post(execution, "resume")
    moving_server.wait(execution, "succeeded")
    moving_server.advance(seconds=DAY - 60)
    other = moving_server.run("1")
    moving_server.wait(other, "succeeded")
    assert snapshot_files(moving_server, execution)
    moving_server.advance(seconds=61)
    moving_server.until(lambda: not snapshot_files(moving_server, execution))
    found = moving_server.until(lambda: _all_missing(moving_server.get(execution)))
    assert found["disk"] == {"bytes": 0, "shared": 0}
    assert {one["missing"] for one in found["checkpoints"]} == {"its snapshots were kept for a time and are gone"}
    assert snapshot_files(moving_server, other)


def _all_missing(execution: dict[str, Any]) -> dict[str, Any] | None:
    return execution if all(one["missing"] for one in execution["checkpoints"]) else None


def test_snapshots_that_outlive_a_restart_leave_in_time_too(make_server: Callable[..., Server]) -> None:
    server = make_server("--FlowNB.keep_snapshots_seconds=3600", moving_clock=True).start()
    execution = server.run("rows = [1]")
    server.wait(execution, "succeeded")
    server.kill()
    server.start()
    assert snapshot_files(server, execution)
    server.advance(hours=2)
    server.until(lambda: not snapshot_files(server, execution))
    assert pool(server) == 0


@pytest.mark.parametrize("warm", [0, 3600], ids=["cold", "warm"])
def test_variables_that_take_too_much_are_named_at_once(make_server: Callable[..., Server], warm: int) -> None:
    server = make_server("--FlowNB.max_snapshot_bytes=1000000", f"--FlowNB.warm_seconds={warm}").start()
    large = "small = 1\nhuge = b'h' * 900_000\nlarge = bytearray(400_000)\npd.export('made', True)"
    freed = server.run(cell(large, "load"), cell("del huge, large; pd.flow.suspend()", "ask"), cell("small", "next"))
    stuck = server.run(cell(large, "load"), cell("pd.flow.suspend()", "ask"), cell("small", "next"))
    for execution in (freed, stuck):
        found = server.wait(execution, "suspended")
        assert step(found, "load")["exports"] == {"made": True}
        first = found["warnings"][0]
        assert "a checkpoint may take 1,000,000 (c.FlowNB.max_snapshot_bytes)" in first
        assert "The largest: huge 900," in first
        assert first.index("huge") < first.index("large 400,")
        assert found["checkpoints"][0]["missing"] == first
        server.post(execution, "resume")
    assert returned(server.wait(freed, "succeeded"), "next") == 1
    failed = server.wait(stuck, "failed", "succeeded")
    if warm:
        assert failed["status"] == "succeeded"
    else:
        assert failed["reason"] == "checkpoint_missing"
        assert "huge 900," in failed["error"]["evalue"]
